/** What is counted over examples: lengths, repetitions, tokens. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Duplicates } from "../../src/run/data-duplicates.ts";
import { Lengths } from "../../src/run/data-lengths.ts";
import { rowPieces, unknownTokenId } from "../../src/run/row-pieces.ts";
import { getTokenizer } from "../../src/tokenizers/index.ts";

function lengthsOf(values: readonly number[]): Lengths {
  const lengths = new Lengths();
  for (const value of values) lengths.add(value);
  return lengths;
}

describe("lengths", () => {
  test("of nothing have no summary", () => {
    expect(new Lengths().summary()).toBeUndefined();
  });

  test("of 1 to 100 have the percentiles that their names say", () => {
    const summary = lengthsOf(Array.from({ length: 100 }, (_, at) => 100 - at)).summary(4);
    expect(summary).toEqual({
      min: 1,
      p5: 5,
      median: 50,
      p95: 95,
      max: 100,
      mean: 50.5,
      histogram: [
        { from: 1, to: 25, count: 25 },
        { from: 26, to: 50, count: 25 },
        { from: 51, to: 75, count: 25 },
        { from: 76, to: 100, count: 25 },
      ],
    });
  });

  test("agree with sorting, whatever they are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5000), { minLength: 1 }),
        fc.integer({ min: 1, max: 12 }),
        (values, bins) => {
          const sorted = values.toSorted((a, b) => a - b);
          const summary = lengthsOf(values).summary(bins);
          if (summary === undefined) throw new Error("no summary");
          const rank = (share: number) => sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1];
          expect([summary.min, summary.p5, summary.median, summary.p95, summary.max]).toEqual([
            sorted[0],
            rank(0.05),
            rank(0.5),
            rank(0.95),
            sorted.at(-1),
          ]);
          expect(summary.histogram.length).toBeLessThanOrEqual(bins);
          expect(summary.histogram.map(({ count }) => count)).toEqual(
            summary.histogram.map(
              ({ from, to }) => values.filter((value) => value >= from && value <= to).length,
            ),
          );
          expect(summary.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
        },
      ),
    );
  });
});

describe("duplicates", () => {
  const filled = (texts: readonly (readonly [text: string, label?: string])[], train?: Duplicates) => {
    const duplicates = new Duplicates(train);
    for (const [text, label] of texts) duplicates.add(text, () => text, label);
    return duplicates;
  };

  test("are what repeats something before, and the most frequent is named", () => {
    const duplicates = filled([["a"], ["b"], ["a"], ["c"], ["b"], ["b"]]);
    expect(duplicates.summary()).toEqual({
      of: 6,
      repeats: 3,
      conflicting: 0,
      mostFrequent: { text: "b", times: 3 },
    });
    expect(duplicates.overlap()).toBeUndefined();
  });

  test("with other labels contradict each other, once a text", () => {
    const texts = [
      ["a", "x"],
      ["a", "y"],
      ["a", "x"],
      ["b", "x"],
      ["b", "x"],
    ] as const;
    expect(filled(texts).summary()).toMatchObject({ repeats: 3, conflicting: 1 });
  });

  test("of a training split are the overlap of another, each time that they occur", () => {
    const train = filled([["a"], ["b"], ["b"]]);
    const held = filled([["b"], ["z"], ["b"], ["a"]], train);
    expect(held.overlap()).toEqual({ of: 4, against: 3, found: 3, example: "b" });
    expect(held.summary()).toMatchObject({ repeats: 1 });
  });

  test("show the beginning of a long text, and compare all of it", () => {
    const long = "long ".repeat(100);
    const duplicates = filled([[long], [`${long}.`], [long]]);
    expect(duplicates.summary()).toMatchObject({
      repeats: 1,
      mostFrequent: { text: long.slice(0, 200), times: 2 },
    });
  });
});

describe("the tokens of a row", () => {
  const row = { counted: 1, truncated: 0 };

  test("of a causal language model stand under the labels that ask for them", async () => {
    const byte = await getTokenizer("byte");
    const ids = [...byte.encode("a€b")];
    const pieces = rowPieces(
      { ...row, inputIds: ids.slice(0, -1), labels: [-100, ...ids.slice(2)] },
      "causal_lm",
      byte,
    );
    expect(pieces.map(({ text, counts }) => [text, counts])).toEqual([
      ["a", false],
      ["€", false],
      ["", true],
      ["", true],
      ["b", true],
    ]);
    expect(pieces.some(({ label }) => label !== undefined)).toBe(false);
  });

  test("say what is to be guessed where that is another token", async () => {
    const byte = await getTokenizer("byte");
    const pieces = rowPieces({ ...row, inputIds: [97, 98], labels: [120, -100] }, "causal_lm", byte);
    expect(pieces).toEqual([
      { id: 97, text: "a", counts: false },
      { id: 98, text: "b", counts: true, label: "x" },
    ]);
  });

  test("that are no text come out one by one", async () => {
    const byte = await getTokenizer("byte");
    const pieces = rowPieces(
      { ...row, inputIds: [0x80, 0x80, 97], labels: [0] },
      "sequence_classification",
      byte,
    );
    expect(pieces).toEqual([
      { id: 0x80, text: "�" },
      { id: 0x80, text: "�" },
      { id: 97, text: "a" },
    ]);
  });

  test("say where the next document begins", async () => {
    const byte = await getTokenizer("byte");
    const pieces = rowPieces(
      { ...row, inputIds: [97, 98], labels: [-100, 99], documentIds: [1, 2] },
      "causal_lm",
      byte,
    );
    expect(pieces.map(({ begins }) => begins)).toEqual([undefined, "document", undefined]);
  });
});

describe("the unknown token", () => {
  test("is the one that tokenizer.json names", async () => {
    const char = await getTokenizer("char");
    await char.train?.(
      (async function* () {
        yield "abc";
      })(),
    );
    expect(unknownTokenId(char)).toBe([...char.encode("z")][0]);
  });

  test("is none of a tokenizer of bytes, nor of one that saves something else", async () => {
    const byte = await getTokenizer("byte");
    expect(unknownTokenId(byte)).toBeUndefined();
    expect(
      unknownTokenId({ ...byte, save: () => ({ "tokenizer.json": "no JSON" }) } as typeof byte),
    ).toBeUndefined();
  });
});
