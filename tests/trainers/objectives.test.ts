/** How examples become rows: what is predicted, what is hidden, where documents and pairs begin. */
import { describe, expect, test } from "vitest";
import { dataLoaderRegistry, type Example } from "../../src/data-loaders/index.ts";
import { evaluationBatches } from "../../src/trainers/batching.ts";
import { causalObjective } from "../../src/trainers/causal-objective.ts";
import { classificationObjective } from "../../src/trainers/classification-objective.ts";
import { maskedObjective } from "../../src/trainers/masked-objective.ts";
import type { Objective, Row } from "../../src/trainers/objective.ts";
import { encoderInput } from "../../src/trainers/special-tokens.ts";
import { exampleRows } from "../../src/trainers/training-rows.ts";
import { collect, encoderTokenizer, memoryLoader, numberTokenizer } from "./fixtures.ts";

async function firstBatch(examples: readonly Example[], objective: Objective, sequenceLength = 6) {
  const options = { vocabSize: 20, batchSize: examples.length, sequenceLength, seed: 1, objective };
  const data = memoryLoader(examples, examples);
  const tokenizer = objective.task === "causal_lm" ? numberTokenizer : encoderTokenizer;
  const [batch] = await collect(evaluationBatches("validation", { ...options, data, tokenizer }));
  if (batch === undefined) throw new Error("no batch");
  return batch;
}

describe("packed documents", () => {
  test("no first token is predicted from another document, and places start anew", async () => {
    const packed = { inputIds: [5, 6, 7, 8, 9, 10, 11], documentIds: [1, 1, 1, 2, 2, 3, 3] };
    const batch = await firstBatch([packed, { inputIds: [1, 2, 3] }], causalObjective());
    expect([...batch.labels]).toEqual([6, 7, -100, 9, -100, 11, 2, 3, -100, -100, -100, -100]);
    expect([...(batch.attentionMask ?? [])]).toEqual([1, 1, 1, 2, 2, 3, 1, 1, 0, 0, 0, 0]);
    expect([...(batch.positionIds ?? [])]).toEqual([0, 1, 2, 0, 1, 0, 0, 1, 0, 1, 2, 3]);
    expect(batch.counted).toBe(6);
  });

  test("text without documents has no mask", async () => {
    const batch = await firstBatch([{ inputIds: [1, 2, 3] }], causalObjective());
    expect(batch).not.toHaveProperty("attentionMask");
    expect(batch).not.toHaveProperty("positionIds");
  });

  test("as many documentIds as ids, or it is an error", async () => {
    await expect(firstBatch([{ inputIds: [1, 2, 3], documentIds: [1] }], causalObjective())).rejects.toThrow(
      /3 ids and 1 documentIds/,
    );
  });
});

describe("what an encoder reads", () => {
  const ids = (example: Example, length: number) => [
    ...encoderInput(example, encoderTokenizer, length).inputIds,
  ];

  test("begins with [CLS] and ends with [SEP], also when it is cut", () => {
    expect(ids({ text: "5 6 7" }, 8)).toEqual([1, 5, 6, 7, 2]);
    expect(ids({ text: "5 6 7 8 9" }, 5)).toEqual([1, 5, 6, 7, 2]);
  });

  test("of a pair, the longer text loses first", () => {
    const pair = { text: "5 6 7 8 9 10", textPair: "11 12" };
    expect(ids(pair, 9)).toEqual([1, 5, 6, 7, 8, 2, 11, 12, 2]);
    expect(ids({ text: "5 6", textPair: "7 8 9 10 11" }, 9)).toEqual([1, 5, 6, 2, 7, 8, 9, 10, 2]);
    expect(ids({ text: "5 6 7 8", textPair: "9 10 11 12" }, 8)).toEqual([1, 5, 6, 2, 9, 10, 11, 2]);
    const { tokenTypeIds, truncated } = encoderInput(pair, encoderTokenizer, 9);
    expect([...(tokenTypeIds ?? [])]).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1]);
    expect(truncated).toBe(2);
  });

  test("without such tokens is the text alone", () => {
    expect([...encoderInput({ text: "5 6 7" }, numberTokenizer, 8).inputIds]).toEqual([5, 6, 7]);
  });
});

describe("masking", () => {
  const text = Array.from({ length: 400 }, (_, at) => 5 + (at % 15)).join(" ");
  const row = (epoch: number, index: number) =>
    maskedObjective({ mlmProbability: 0.15 }).row({
      example: { text },
      tokenizer: encoderTokenizer,
      vocabSize: 20,
      sequenceLength: 512,
      key: [1, epoch, index],
    });

  test("is the same for a key, and another for every epoch and example", () => {
    expect(row(0, 3)).toEqual(row(0, 3));
    expect(row(0, 3).labels).not.toEqual(row(1, 3).labels);
    expect(row(0, 3).labels).not.toEqual(row(0, 4).labels);
  });

  test("hides 15 %: of these 80 % behind the mask, 10 % behind another token, 10 % not at all", () => {
    const original = [1, ...text.split(" ").map(Number), 2];
    const counts = { tokens: 0, chosen: 0, mask: 0, same: 0, other: 0 };
    for (let index = 0; index < 60; index++) {
      const { inputIds, labels } = row(0, index);
      for (const [at, id] of original.entries()) {
        counts.tokens++;
        if (labels[at] === -100) {
          expect(inputIds[at]).toBe(id);
          continue;
        }
        expect(labels[at]).toBe(id);
        counts.chosen++;
        if (inputIds[at] === 3) counts.mask++;
        else if (inputIds[at] === id) counts.same++;
        else counts.other++;
      }
      // [CLS] and [SEP] are never to be guessed.
      expect([labels[0], labels[original.length - 1]]).toEqual([-100, -100]);
    }
    expect(counts.chosen / counts.tokens).toBeCloseTo(0.15, 2);
    expect(counts.mask / counts.chosen).toBeCloseTo(0.8, 1);
    // One random token in twenty happens to be the hidden one, and one is the mask.
    expect(counts.same / counts.chosen).toBeCloseTo(0.105, 1);
    expect(counts.other / counts.chosen).toBeCloseTo(0.09, 1);
  });

  test("always has something to guess in a text, and nothing in an empty one", async () => {
    const objective = maskedObjective({ mlmProbability: 0.01 });
    const batch = await firstBatch([{ text: "7 8" }, { text: "" }], objective);
    expect(batch.rows).toBe(1);
    expect(batch.counted).toBe(1);
    expect([...(batch.attentionMask ?? [])]).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  describe("of ids that a data loader cut out of longer text", () => {
    const masked = (example: Example, tokenizer = encoderTokenizer, sequenceLength = 8) => {
      const objective = maskedObjective({ mlmProbability: 0.3 });
      return objective.row({ example, tokenizer, vocabSize: 20, sequenceLength, key: [1, 0, 0] });
    };
    /** What the row was before some of it was hidden. */
    const shown = ({ inputIds, labels }: Row) =>
      Array.from(inputIds, (id, at) => (labels[at] === -100 ? id : labels[at]));

    test("puts the special tokens around a window, which is cut to leave room for them", () => {
      const row = masked({ inputIds: [5, 6, 7, 8, 9, 10, 11] });
      expect(shown(row)).toEqual([1, 5, 6, 7, 8, 9, 10, 2]);
      expect([row.labels[0], row.labels[7]]).toEqual([-100, -100]);
      expect(row.truncated).toBe(0);
      expect(masked({ inputIds: [5, 6, 7, 8, 9, 10, 11, 12, 13] }).truncated).toBe(2);
      expect(shown(masked({ inputIds: [5, 6] }))).toEqual([1, 5, 6, 2]);
    });

    test("keeps documents apart: the special tokens are the first one's and the last one's", () => {
      const row = masked({ inputIds: [5, 6, 7, 8, 9, 10, 11], documentIds: [1, 1, 2, 2, 2, 3, 3] });
      expect(row.documentIds).toEqual([1, 1, 1, 2, 2, 2, 3, 3]);
    });

    test("asks of the data's own labels alone, each at its place", () => {
      const inputIds = [5, 6, 7, 8, 9, 10, 11];
      const labels = inputIds.map((id) => (id % 2 === 0 ? id : -100));
      for (let index = 0; index < 50; index++) {
        const objective = maskedObjective({ mlmProbability: 0.9 });
        const request = { tokenizer: encoderTokenizer, vocabSize: 20, sequenceLength: 8 };
        const row = objective.row({ ...request, example: { inputIds, labels }, key: [1, 0, index] });
        for (const [at, label] of Array.from(row.labels).entries())
          expect([-100, at % 2 === 0 && at > 0 ? at + 4 : -100]).toContain(label);
      }
    });

    test("takes a tokenizer without such tokens, and ids that have them already, as they are", () => {
      const { clsTokenId: _, sepTokenId: __, ...plain } = encoderTokenizer;
      expect(shown(masked({ inputIds: [5, 6, 7, 8, 9, 10, 11, 12, 13] }, plain))).toEqual([
        5, 6, 7, 8, 9, 10, 11, 12,
      ]);
      expect(shown(masked({ inputIds: [1, 5, 6, 2] }))).toEqual([1, 5, 6, 2]);
    });

    test("reads each id of a text once", async () => {
      const written = Array.from({ length: 6 * 5 + 1 }, (_, at) => 4 + (at % 16));
      const data = await dataLoaderRegistry.create("memory", {
        examples: [written.join(" ")],
        validation: [written.join(" ")],
      });
      const objective = maskedObjective({ mlmProbability: 0.3 });
      const options = {
        data,
        tokenizer: encoderTokenizer,
        vocabSize: 20,
        sequenceLength: 8,
        seed: 1,
        objective,
      };
      const rows = await collect(exampleRows("validation", options, { epoch: 0, start: 0, shuffle: false }));
      expect(rows.flatMap(({ row }) => shown(row).slice(1, -1))).toEqual(written.slice(0, -1));
      for (const { row } of rows) expect([row.inputIds.length, row.truncated]).toEqual([8, 0]);
    });
  });

  test("needs a mask token", async () => {
    const data = memoryLoader([], [{ text: "1 2" }]);
    const options = {
      data,
      tokenizer: numberTokenizer,
      vocabSize: 20,
      batchSize: 1,
      sequenceLength: 4,
      seed: 1,
    };
    const objective = maskedObjective({ mlmProbability: 0.15 });
    await expect(collect(evaluationBatches("validation", { ...options, objective }))).rejects.toThrow(
      /no mask token.*\[MASK\]/,
    );
  });
});

describe("classes", () => {
  const labels = ["ham", "spam"];
  test("are numbers in the order of their names; padding rows have none", async () => {
    const objective = classificationObjective({ labels, multiLabel: false });
    const batch = await firstBatch(
      [
        { text: "5", label: "spam" },
        { text: "6 7", label: "ham" },
        { text: "8", label: ["ham"] },
      ],
      objective,
    );
    expect([...batch.labels]).toEqual([1, 0, 0]);
    expect(batch.counted).toBe(3);
  });

  test("that do not exclude each other are ones and zeros", async () => {
    const objective = classificationObjective({ labels: ["a", "b", "c"], multiLabel: true });
    const batch = await firstBatch(
      [
        { text: "5", label: ["c", "a"] },
        { text: "6", label: [] },
      ],
      objective,
    );
    expect([...batch.labels]).toEqual([1, 0, 1, 0, 0, 0]);
  });

  test("weigh what they are given", async () => {
    const objective = classificationObjective({ labels, multiLabel: false, classWeights: { spam: 2.5 } });
    const batch = await firstBatch(
      [
        { text: "5", label: "spam" },
        { text: "6", label: "ham" },
      ],
      objective,
    );
    expect(batch).toMatchObject({ weight: 3.5, counted: 2 });
  });

  for (const [what, example, says] of [
    ["no label", { text: "5" }, /no label.*column/],
    [
      "a label that is no class",
      { text: "5", label: "eggs" },
      /"eggs", which is none of the classes ham, spam/,
    ],
    ["several labels", { text: "5", label: ["ham", "spam"] }, /2 labels \(ham, spam\).*multi_label/],
  ] as const)
    test(`${what} is an error`, async () => {
      const objective = classificationObjective({ labels, multiLabel: false });
      await expect(firstBatch([example], objective)).rejects.toThrow(says);
    });
});
