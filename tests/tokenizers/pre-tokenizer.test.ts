import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gpt2WordEnd, o200kWordEnd, type WordEnd } from "../../src/tokenizers/pre-tokenizer.ts";
import { anyText } from "./hostile-text.ts";

/** The regular expressions that the scanners follow, in JavaScript's terms. */
const S = String.raw`\p{White_Space}`;
const GPT2 = new RegExp(
  String.raw`'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^${S}\p{L}\p{N}]+|${S}+(?!\P{White_Space})|${S}+`,
  "gu",
);
const contraction = "(?:'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD]))?";
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const lead = String.raw`[^\r\n\p{L}\p{N}]?`;
const O200K = new RegExp(
  [
    `${lead}${upper}*${lower}+${contraction}`,
    `${lead}${upper}+${lower}*${contraction}`,
    String.raw`\p{N}{1,3}`,
    String.raw` ?[^${S}\p{L}\p{N}]+[\r\n/]*`,
    String.raw`${S}*[\r\n]+`,
    String.raw`${S}+(?!\P{White_Space})`,
    `${S}+`,
  ].join("|"),
  "gu",
);

function scanned(text: string, wordEnd: WordEnd): string[] {
  const words: string[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = wordEnd(text, start);
    expect(end).toBeGreaterThan(start);
    words.push(text.slice(start, end));
  }
  return words;
}

// Few kinds of characters in any order: what a scanner that follows alternatives gets wrong.
const tangled = fc
  .array(
    fc.constantFrom(
      ...[
        "a",
        "s",
        "l",
        "B",
        "S",
        "ǅ",
        "ʰ",
        "東",
        "\u0301",
        "\u0903",
        "𝐀",
        "𐐨",
        "1",
        "²",
        "𝟙",
        "'",
        "/",
        "!",
        "😀",
        "ſ",
      ],
      ...[
        " ",
        " ",
        "\n",
        "\r",
        "\t",
        "\u0085",
        "\u00A0",
        "\uFEFF",
        "\uD800",
        "\uDC00",
        "re",
        "LL",
        "ve",
        "'s",
        "'LL",
      ],
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));

describe.each([
  ["gpt2", gpt2WordEnd, GPT2],
  ["o200k", o200kWordEnd, O200K],
] as const)("the %s scanner", (_, wordEnd, pattern) => {
  test("cuts as its regular expression does", () => {
    fc.assert(
      fc.property(fc.oneof(tangled, tangled, anyText), (text) => {
        expect(scanned(text, wordEnd)).toEqual(text.match(pattern) ?? []);
      }),
      { numRuns: 20_000 },
    );
  });
});

test("o200k: what its alternatives mean", () => {
  expect(scanned("HTTPServer's getURL(x)\n\n  1234 i'LL\t\tgo /*\n", o200kWordEnd)).toEqual([
    ..."HTTPServer's| get|URL|(x|)\n\n| | |123|4| i'LL|\t|\tgo| /*\n"
      .split("|")
      .filter((word) => word !== ""),
  ]);
});
