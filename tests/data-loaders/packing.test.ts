import { describe, expect, test } from "vitest";
import type { Example } from "../../src/data-loaders/index.ts";
import type { Tokenizer } from "../../src/tokenizers/index.ts";
import { tokenizer } from "./temporary-corpus.ts";
import { examplesOf, open, spell, words } from "./temporary-records.ts";

const packed = (examples: readonly string[], options: object = {}) =>
  open("memory", { examples, validation: 0, ...options });

describe("packed documents", () => {
  test("fill windows, numbered from 1 in each; the first id of a document is no target", async () => {
    const examples = await examplesOf(await packed(["ab", "cde", "f"]), "train", { sequenceLength: 6 });
    expect(examples.map(spell)).toEqual(["ab¶cde¶", "¶f¶"]);
    expect(examples[0]).toEqual({
      inputIds: Uint16Array.of(97, 98, 256, 99, 100, 101, 256),
      labels: Int32Array.of(97, 98, 256, -100, 100, 101, 256),
      documentIds: Int32Array.of(1, 1, 1, 2, 2, 2, 2),
    });
    expect(examples[1]).toEqual({
      inputIds: Uint16Array.of(256, 102, 256),
      labels: Int32Array.of(256, -100, 256),
      documentIds: Int32Array.of(1, 2, 2),
    });
  });

  test("need no numbers where a window lies in one document", async () => {
    const examples = await examplesOf(await packed(["abcdefgh", "ijklmno"]), "train", { sequenceLength: 4 });
    expect(examples.map(spell)).toEqual(["abcde", "efgh¶", "¶ijkl", "lmno¶"]);
    expect(examples.map((example) => "documentIds" in example)).toEqual([false, false, true, false]);
  });

  test("make every id but the first of each document a target exactly once in order, at most once shuffled", async () => {
    const texts = Array.from({ length: 60 }, (_, i) => words(i).slice(0, 1 + ((i * 7) % 39)));
    const loader = await packed(texts);
    const targets = (examples: readonly Example[]) =>
      examples.flatMap((example) => {
        if ("text" in example) return [];
        const labels = example.labels ?? example.inputIds;
        return Array.from(labels)
          .slice(1)
          .filter((label) => label !== -100);
      });
    const expected = texts.flatMap((text) => [...Buffer.from(text).subarray(1), 256]);
    expect(targets(await examplesOf(loader))).toEqual(expected);
    const shuffled = await examplesOf(loader, "train", { shuffle: true });
    expect(targets(shuffled).length).toBeLessThanOrEqual(expected.length);
    expect(targets(shuffled).length).toBeGreaterThan(expected.length - 2 * 16);
  });

  test("without an end-of-text id are told apart by their numbers alone", async () => {
    const plain: Tokenizer = {
      vocabSize: 256,
      encode: (text) => Buffer.from(text),
      decode: () => "",
    };
    const [example] = await examplesOf(await packed(["ab", "c"]), "train", { tokenizer: plain });
    expect(example).toMatchObject({
      inputIds: Uint16Array.of(97, 98, 99),
      documentIds: Int32Array.of(1, 1, 2),
    });
  });

  test("have ids of four bytes where the vocabulary needs them, and only ids of the vocabulary", async () => {
    const large = (id: number): Tokenizer => ({ vocabSize: 70_000, encode: () => [id, 1], decode: () => "" });
    const [example] = await examplesOf(await packed(["a"]), "train", { tokenizer: large(69_999) });
    expect(example).toEqual({ inputIds: Int32Array.of(69_999, 1) });
    for (const [id, vocabSize] of [
      [70_000, 70_000],
      [-1, 70_000],
      [65_536, 60_000],
      [1.5, 60_000],
    ] as const)
      await expect(
        examplesOf(await packed(["a"]), "train", { tokenizer: { ...large(id), vocabSize } }),
      ).rejects.toMatchObject({ code: "DATA_BAD_ID" });
  });

  test("too short for one window say so", async () => {
    await expect(examplesOf(await packed(["abc"]), "train", { shuffle: true })).rejects.toThrow(
      /the train split has 4 token\(s\), and one window needs 17/,
    );
  });
});

describe("without packing", () => {
  test("each document is an example, a long one several that share one id", async () => {
    const loader = await packed(["abc", "defghijklm", "n"], { packing: false });
    const examples = await examplesOf(loader, "train", { sequenceLength: 4 });
    expect(examples.map(spell)).toEqual(["abc¶", "defgh", "hijkl", "lm¶", "n¶"]);
  });

  test("records of more than 65,536 are reached at any position without those before it", async () => {
    const loader = await packed(
      Array.from({ length: 70_000 }, (_, i) => String(i)),
      { packing: false },
    );
    const request = { shuffle: true, tokenizer, start: 69_998 };
    const whole = await examplesOf(loader, "train", { ...request, start: 0 });
    expect((await examplesOf(loader, "train", request)).map(spell)).toEqual(whole.slice(69_998).map(spell));
    expect(new Set(whole.map(spell)).size).toBe(70_000);
  });
});
