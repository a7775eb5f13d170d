import { describe, expect, test } from "vitest";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";
import { idsOf, loaderOf, numbered, tokenizer } from "./temporary-corpus.ts";

describe("shuffled windows", () => {
  test("have T + 1 ids that follow one another, and each id is a target at most once", async () => {
    const loader = await loaderOf(numbered);
    for (const epoch of [0, 1, 2, 3, 4]) {
      const examples = await idsOf(loader, "train", { epoch });
      const targets = examples.flatMap((ids) => ids.slice(1));
      expect(new Set(targets).size).toBe(targets.length);
      expect(targets.length).toBeGreaterThanOrEqual(100 - 1 - 2 * 8); // all but the ends
      for (const ids of examples) {
        expect(ids).toHaveLength(9);
        expect(ids.map((id) => id - ids[0]!)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      }
    }
  });

  test("make every token a target over a few epochs", async () => {
    const loader = await loaderOf(numbered);
    const targets = new Set<number>();
    for (let epoch = 0; epoch < 20; epoch++)
      for (const ids of await idsOf(loader, "train", { epoch }))
        for (const id of ids.slice(1)) targets.add(id);
    expect(targets.size).toBe(99); // nothing comes before the first
  });

  test("are the same for the same request, from another loader too", async () => {
    const first = await idsOf(await loaderOf(numbered), "train", { epoch: 3 });
    expect(await idsOf(await loaderOf(numbered), "train", { epoch: 3 })).toEqual(first);
  });

  test("differ between epochs and between seeds, in order and in cuts", async () => {
    const loader = await loaderOf(numbered.repeat(20));
    const requests = [
      { seed: 1, epoch: 0 },
      { seed: 1, epoch: 1 },
      { seed: 2, epoch: 0 },
      { seed: 0, epoch: 1 },
    ];
    const runs = await Promise.all(requests.map((request) => idsOf(loader, "train", request)));
    expect(new Set(runs.map((run) => JSON.stringify(run))).size).toBe(runs.length);
    const cuts = await Promise.all(
      [0, 1, 2, 3, 4, 5].map(async (epoch) => (await idsOf(loader, "train", { epoch }))[0]![0]! % 4),
    );
    expect(new Set(cuts).size).toBeGreaterThan(1);
    const order = runs[0]!.map((ids) => ids[0]!);
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
  });

  test("go on from any position as if they had never stopped; another position gives other ones", async () => {
    const loader = await loaderOf(numbered.repeat(3));
    for (const shuffle of [true, false]) {
      const whole = await idsOf(loader, "train", { shuffle });
      for (const start of [0, 1, 17, whole.length - 1, whole.length, whole.length + 5]) {
        const rest = await idsOf(loader, "train", { shuffle, start });
        expect(rest).toEqual(whole.slice(start));
        if (start < whole.length) expect(rest).not.toEqual(whole.slice(start + 1));
      }
    }
  });

  test("need no more than T + 1 tokens, and say so with fewer", async () => {
    expect(await idsOf(await loaderOf("123456789"), "train")).toHaveLength(1);
    await expect(idsOf(await loaderOf("12345678"), "train")).rejects.toThrow(
      /the train split has 8 token\(s\), and one window needs 9/,
    );
  });
});

describe("windows in order", () => {
  test("make every token but the first a target exactly once", async () => {
    for (const length of [2, 8, 9, 10, 16, 17, 18, 100]) {
      const loader = await loaderOf(numbered.slice(0, length));
      const examples = await idsOf(loader, "train", { shuffle: false });
      expect(examples.flatMap((ids) => ids.slice(1))).toEqual(
        Array.from(Buffer.from(numbered.slice(1, length))),
      );
      for (const ids of examples) expect(ids.length).toBeLessThanOrEqual(9);
    }
  });

  test("do not depend on seed or epoch", async () => {
    const loader = await loaderOf(numbered);
    const one = await idsOf(loader, "train", { shuffle: false });
    expect(await idsOf(loader, "train", { shuffle: false, seed: 9, epoch: 9 })).toEqual(one);
  });
});

describe("tokens", () => {
  test("are those of the whole text, although it is encoded in pieces", async () => {
    const text = "Call me Ishmael.  Some years ago — never mind how long…\n\n".repeat(40_000);
    const loader = await loaderOf(text);
    const bpe = await getTokenizer("bpe", { vocabSize: 300 });
    await bpe.train?.(loader.texts("train"));
    const [ids] = await idsOf(loader, "train", { tokenizer: bpe, shuffle: false, sequenceLength: 1e7 });
    expect(
      Buffer.from(Int32Array.from(ids!).buffer).equals(Buffer.from(Int32Array.from(bpe.encode(text)).buffer)),
    ).toBe(true);
  });

  test("are made once for each tokenizer", async () => {
    const loader = await loaderOf(numbered);
    let calls = 0;
    const counting: Tokenizer = {
      vocabSize: 257,
      encode: (text) => {
        calls++;
        return tokenizer.encode(text);
      },
      decode: (ids) => tokenizer.decode(ids),
    };
    await idsOf(loader, "train", { tokenizer: counting });
    await idsOf(loader, "train", { tokenizer: counting, epoch: 1 });
    expect(calls).toBe(1);
  });

  test.each([300, -1, 1.5, Number.NaN])("that are no ids of the tokenizer (%d) are an error", async (id) => {
    const broken: Tokenizer = { vocabSize: 300, encode: () => [1, id], decode: () => "" };
    await expect(idsOf(await loaderOf(numbered), "train", { tokenizer: broken })).rejects.toThrow(
      `encoded text to the id ${id}, which is no integer from 0 to 299`,
    );
  });
});
