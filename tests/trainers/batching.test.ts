import { describe, expect, test } from "vitest";
import type { Example } from "../../src/data-loaders/index.ts";
import {
  type BatchOptions,
  type DataPosition,
  evaluationBatches,
  trainingBatches,
} from "../../src/trainers/batching.ts";
import { collect, memoryLoader, numberTokenizer, randomExamples } from "./fixtures.ts";

const options = (train: readonly Example[], more: Partial<BatchOptions> = {}): BatchOptions => ({
  data: memoryLoader(train, train),
  tokenizer: numberTokenizer,
  vocabSize: 20,
  batchSize: 2,
  sequenceLength: 4,
  seed: 1,
  ...more,
});

async function take(count: number, given: BatchOptions, from?: DataPosition) {
  const results = [];
  const source = trainingBatches(given, from);
  while (results.length < count) results.push((await source.next()).value);
  await source.return(undefined as never);
  return results;
}

test("labels are shifted once, and padding does not count", async () => {
  const [batch] = await collect(
    evaluationBatches("validation", options([{ inputIds: [1, 2, 3] }, { text: "4 5 6 7 8" }])),
  );
  expect([...(batch?.inputIds ?? [])]).toEqual([1, 2, 0, 0, 4, 5, 6, 7]);
  expect([...(batch?.labels ?? [])]).toEqual([2, 3, -100, -100, 5, 6, 7, 8]);
  expect(batch).toMatchObject({ counted: 6, rows: 2 });
});

test("labels of the data are used, shifted, and ignored where they say so", async () => {
  const examples = [{ inputIds: [1, 2, 3, 4], labels: [-100, -100, 9, 8] }];
  const [batch] = await collect(evaluationBatches("validation", options(examples)));
  expect([...(batch?.labels.slice(0, 4) ?? [])]).toEqual([-100, 9, 8, -100]);
  expect(batch?.counted).toBe(2);
});

test("the last batch of a split has fewer rows, and nothing of the one before", async () => {
  const batches = await collect(
    evaluationBatches(
      "validation",
      options([{ inputIds: [1, 2] }, { inputIds: [3, 4] }, { inputIds: [5, 6] }]),
    ),
  );
  expect(batches.map(({ rows }) => rows)).toEqual([2, 1]);
  expect([...(batches[1]?.inputIds ?? [])]).toEqual([5, 0, 0, 0, 0, 0, 0, 0]);
});

test("training goes on from a position to the batches that would have followed; from elsewhere it does not", async () => {
  const given = options(randomExamples(7, () => 5));
  const whole = await take(12, given);
  for (const stop of [1, 3, 4, 7, 9]) {
    const rest = await take(12 - stop, given, whole[stop - 1]?.position);
    expect(rest.map(({ batch }) => batch)).toEqual(whole.slice(stop).map(({ batch }) => batch));
  }
  const wrong = await take(4, given, { epoch: 0, start: 0 });
  expect(wrong.map(({ batch }) => batch)).not.toEqual(whole.slice(4, 8).map(({ batch }) => batch));
});

test("what is cut and what is left out is counted, and leaves nothing behind", async () => {
  const examples = [
    { inputIds: [1, 2, 3, 4, 5, 6, 7] },
    { inputIds: [9, 9, 9], labels: [9, -100, -100] },
    { inputIds: [1] },
    { inputIds: [5, 6] },
  ];
  const [batch] = await collect(evaluationBatches("validation", options(examples)));
  expect([...(batch?.inputIds ?? [])]).toEqual([1, 2, 3, 4, 5, 0, 0, 0]);
  expect(batch?.counted).toBe(5);
  const [first, second] = await take(2, options(examples, { batchSize: 1 }));
  const order = [first, second].map((result) => result?.batch.inputIds[0]);
  expect(order.sort()).toEqual([1, 5]);
  expect(second?.counts.truncated).toBe(1);
  const [, , , later] = await take(4, options(examples, { batchSize: 1 }));
  // Two passes: one example cut and two left out in each.
  expect(later?.counts.truncated).toBe(2);
  expect([3, 4]).toContain(later?.counts.dropped);
});

describe("data that cannot be trained on is an error", () => {
  test("no example", async () => {
    await expect(take(1, options([]))).rejects.toThrow(/yields no training example/);
  });
  test("no label that counts", async () => {
    await expect(take(1, options([{ inputIds: [1] }, { inputIds: [2] }]))).rejects.toThrow(
      /None of the 2 training examples/,
    );
  });
  test("an id that the model does not know", async () => {
    await expect(take(1, options([{ inputIds: [1, 20] }]))).rejects.toThrow(
      /token id 20, but the model knows ids from 0 to 19/,
    );
  });
  test("labels that do not match", async () => {
    await expect(take(1, options([{ inputIds: [1, 2], labels: [1] }]))).rejects.toThrow(/2 ids and 1 labels/);
  });
});
