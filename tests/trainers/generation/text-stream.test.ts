import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TextStream } from "../../../src/trainers/generation/text-stream.ts";
import { anyText } from "../../tokenizers/hostile-text.ts";
import { numberTokenizer } from "../fixtures.ts";

/** A tokenizer whose id i stands for the i-th of some pieces of bytes. */
function piecesTokenizer(pieces: readonly Uint8Array[]) {
  const decode = (ids: Iterable<number>) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      Buffer.concat([...ids].map((id) => pieces[id] ?? new Uint8Array())),
    );
  return { ...numberTokenizer, vocabSize: pieces.length, decode };
}

/** What a stream gives of pieces of bytes, token by token and at its end. */
function streamed(pieces: readonly Uint8Array[], stopStrings: readonly string[]) {
  const stream = new TextStream(piecesTokenizer(pieces), stopStrings);
  const shown: string[] = [];
  for (const id of pieces.keys()) {
    shown.push(stream.push(id));
    if (stream.isStopped) break;
  }
  shown.push(stream.end());
  return { shown, isStopped: stream.isStopped, tokens: stream.length };
}

const encoded = (...texts: string[]) => texts.map((text) => new TextEncoder().encode(text));

describe("stop strings", () => {
  test.each([
    {
      name: "in one token",
      tokens: ["one ", "two stop three", " four"],
      stops: ["stop"],
      text: "one two ",
      count: 2,
    },
    { name: "over several tokens", tokens: ["a s", "t", "op b"], stops: ["stop"], text: "a ", count: 3 },
    { name: "at the very beginning", tokens: ["st", "op"], stops: ["stop"], text: "", count: 2 },
    {
      name: "of which only a part comes",
      tokens: ["a st", "op", "ping"],
      stops: ["stops"],
      text: "a stopping",
      count: 3,
    },
    {
      name: "that begin anew within themselves",
      tokens: ["aa", "ab", "c"],
      stops: ["aab"],
      text: "a",
      count: 2,
    },
    {
      name: "of which the first that is complete holds",
      tokens: ["x abcd"],
      stops: ["abcd", "bc"],
      text: "x a",
      count: 1,
    },
    {
      name: "that end together: the longer",
      tokens: ["x abc"],
      stops: ["c", "abc", "bc"],
      text: "x ",
      count: 1,
    },
    {
      name: "of line breaks",
      tokens: ["def f():\n", "  pass\n", "\n", "def"],
      stops: ["\n\n", "\ndef"],
      text: "def f():\n  pass",
      count: 3,
    },
  ])("$name", ({ tokens, stops, text, count }) => {
    const result = streamed(encoded(...tokens), stops);
    expect(result.shown.join("")).toBe(text);
    expect(result.tokens).toBe(count);
  });

  test("what may be the beginning of one is held back until it is known, and no longer", () => {
    expect(streamed(encoded("a", "\n", "b", "\n", "\n"), ["\n\n"]).shown).toEqual([
      "a",
      "",
      "\nb",
      "",
      "",
      "",
    ]);
    expect(streamed(encoded("a", "\n"), ["\n\n"]).shown).toEqual(["a", "", "\n"]);
  });
});

/** Where the text ends if characters come one by one: the first moment at which it ends with a stop string. */
function plainEnd(text: string, stopStrings: readonly string[]): string {
  for (let length = 1; length <= text.length; length++) {
    const lengths = stopStrings
      .filter((stop) => text.slice(0, length).endsWith(stop))
      .map((stop) => stop.length);
    if (lengths.length > 0) return text.slice(0, length - Math.max(...lengths));
  }
  return text;
}

/** A text cut into pieces of bytes anywhere, within characters too. */
const cutText = fc
  .tuple(
    fc.oneof(anyText, fc.string({ unit: fc.constantFrom("a", "b", "é", "👩") })),
    fc.array(fc.nat(3), { minLength: 1 }),
  )
  .map(([text, sizes]) => {
    const bytes = new TextEncoder().encode(text.replaceAll("\uFFFD", "?"));
    const pieces: Uint8Array[] = [];
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = 1 + (sizes[turn % sizes.length] ?? 0);
      pieces.push(bytes.slice(at, at + size));
      at += size;
    }
    return { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), pieces };
  });

describe("whatever text, wherever tokens begin and end", () => {
  test("the pieces are the text, and none is half a character", () =>
    fc.assert(
      fc.property(cutText, ({ text, pieces }) => {
        const { shown } = streamed(pieces, []);
        expect(shown.join("")).toBe(text);
        for (const piece of shown) expect(Buffer.from(piece).toString()).toBe(piece);
      }),
      { numRuns: 300 },
    ));

  test("it ends where it would if characters came one by one", () =>
    fc.assert(
      fc.property(
        cutText,
        fc.array(fc.string({ unit: fc.constantFrom("a", "b", "é"), minLength: 1, maxLength: 4 }), {
          maxLength: 3,
        }),
        ({ text, pieces }, stopStrings) => {
          expect(streamed(pieces, stopStrings).shown.join("")).toBe(plainEnd(text, stopStrings));
        },
      ),
      { numRuns: 500 },
    ));
});
