import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, encodeText } from "../../src/tokenizers/encode-batch.ts";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import { corpus, stream } from "./hostile-text.ts";

describe("encodeBatch", () => {
  let wordpiece: Tokenizer;
  let byte: Tokenizer;
  beforeAll(async () => {
    wordpiece = await getTokenizer("wordpiece", { vocabSize: 300 });
    await wordpiece.train?.(stream(corpus));
    byte = await getTokenizer("byte");
  });

  const word = fc.constantFrom("the", "best", "of", "times", "東京", "zzz", ".");
  const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(" "));
  const several = { minLength: 1, maxLength: 4 };
  const inputs = fc.oneof(fc.array(text, several), fc.tuple(fc.tuple(text, text)));

  test("gives the rows of Hugging Face's Rust library with its truncation and padding", async () => {
    const json = JSON.parse(wordpiece.save?.()["tokenizer.json"] ?? "");
    await fc.assert(
      fc.asyncProperty(
        inputs,
        fc.record({
          maxLength: fc.integer({ min: 5, max: 24 }),
          truncationSide: fc.constantFrom("right", "left"),
          paddingSide: fc.constantFrom("right", "left"),
          padding: fc.constantFrom("longest", "max_length"),
          padToMultipleOf: fc.constantFrom(1, 8),
        }),
        async (texts, options) => {
          const direction = (side: string) => (side === "left" ? "Left" : "Right");
          const rust = RustTokenizer.fromString(
            JSON.stringify({
              ...json,
              truncation: {
                direction: direction(options.truncationSide),
                max_length: options.maxLength,
                strategy: "LongestFirst",
                stride: 0,
              },
              padding: {
                strategy: options.padding === "longest" ? "BatchLongest" : { Fixed: options.maxLength },
                direction: direction(options.paddingSide),
                pad_to_multiple_of: options.padToMultipleOf,
                pad_id: wordpiece.padTokenId,
                pad_type_id: 0,
                pad_token: "[PAD]",
              },
            }),
          );
          const batch = encodeBatch(wordpiece, texts as string[], options as object);
          const [one] = texts;
          const expected =
            typeof one === "object"
              ? [await rust.encode(...one)] // its batches are of single texts only
              : await rust.encodeBatch(texts as string[]);
          const [rows, length] = batch.shape;
          expect(rows).toBe(texts.length);
          for (const [at, row] of expected.entries()) {
            const own = (values: Int32Array | undefined) => [
              ...(values ?? new Int32Array(rows * length)).slice(at * length, (at + 1) * length),
            ];
            expect(own(batch.inputIds)).toEqual(row.getIds());
            expect(own(batch.attentionMask)).toEqual(row.getAttentionMask());
            expect(own(batch.tokenTypeIds)).toEqual(row.getTypeIds());
            expect(batch.padded[at]).toBe(row.getAttentionMask().filter((one) => one === 0).length);
            const whole = encodeText(wordpiece, texts[at] ?? "").inputIds.length;
            expect(batch.truncated[at]).toBe(Math.max(0, whole - options.maxLength));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("says for each text what was cut and what was added", () => {
    const { truncated, padded, ...rows } = encodeBatch(byte, ["abcdef", "ab"], { maxLength: 4 });
    expect([...truncated]).toEqual([2, 0]);
    expect([...padded]).toEqual([0, 2]);
    expect(rows.shape).toEqual([2, 4]);
    expect([...rows.inputIds]).toEqual([97, 98, 99, 100, 97, 98, 0, 0]);
    expect([...rows.attentionMask]).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
    expect(rows.tokenTypeIds).toBeUndefined();
    const left = encodeBatch(byte, ["abcdef"], { maxLength: 4, truncationSide: "left" });
    expect([...left.inputIds]).toEqual([99, 100, 101, 102]);
  });

  test("leaves special tokens out where that is asked for", () => {
    const [cls, sep] = [wordpiece.clsTokenId, wordpiece.sepTokenId];
    const ids = [...wordpiece.encode("the best")];
    expect([...encodeBatch(wordpiece, ["the best"]).inputIds]).toEqual([cls, ...ids, sep]);
    expect([...encodeBatch(wordpiece, ["the best"], { addSpecialTokens: false }).inputIds]).toEqual(ids);
    expect(encodeBatch(wordpiece, []).shape).toEqual([0, 0]);
  });

  test("refuses lengths that are none", () => {
    const run = (options: object) => () => encodeBatch(wordpiece, [["a", "b"]], options);
    expect(run({ maxLength: 0 })).toThrow(/maxLength must be a positive whole number, got 0/);
    expect(run({ padToMultipleOf: 1.5 })).toThrow(/padToMultipleOf must be/);
    expect(run({ maxLength: 3 })).toThrow(/maxLength of 3 has no room for text.*take 3/);
    expect(run({ maxLength: 3, addSpecialTokens: false })).not.toThrow();
    expect(run({ padding: "max_length" })).toThrow(/needs a maxLength/);
  });

  test("what a file says of truncation and padding changes nothing: encode gives all ids", async () => {
    const families = JSON.parse(readFileSync(new URL("../golden/hf-families.json", import.meta.url), "utf8"));
    const { openTokenizer } = await import("../../src/tokenizers/open.ts");
    for (const name of ["bert_uncased", "t5"]) {
      const plain = families[name].tokenizer;
      const cutting = {
        ...plain,
        truncation: { direction: "Right", max_length: 3, strategy: "LongestFirst", stride: 0 },
        padding: {
          strategy: { Fixed: 9 },
          direction: "Right",
          pad_id: 0,
          pad_type_id: 0,
          pad_token: "[PAD]",
        },
      };
      const files = { "tokenizer.json": JSON.stringify(cutting) };
      const long = "it was the best of times";
      const expected = openTokenizer({ "tokenizer.json": JSON.stringify(plain) }).encode(long);
      expect([...openTokenizer(files).encode(long)]).toEqual([...expected]);
      expect(expected.length).toBeGreaterThan(3);
    }
  });
});
