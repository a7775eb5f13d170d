/** First weights are drawn as the papers' and Hugging Face's code draws them. */
import { expect, test } from "vitest";
import { bert } from "../../src/models/bert.ts";
import { embeddingBag } from "../../src/models/embedding-bag.ts";
import type { Model } from "../../src/models/index.ts";
import { llama } from "../../src/models/llama.ts";
import { Random } from "../../src/tensor/index.ts";
import { buildModel } from "../golden/hugging-face.ts";

/** Smallest and largest value and the standard deviation of each parameter, by name. */
function statistics(model: Model) {
  return model.parameters().map((parameter, index) => {
    const values = new Float32Array(parameter.dims.reduce((product, dim) => product * dim, 1));
    parameter.initialize(values, new Random(5, index));
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    return {
      name: parameter.name,
      rank: parameter.rank,
      low: Math.min(...values),
      high: Math.max(...values),
      deviation,
    };
  });
}

const shape = {
  vocabSize: 200,
  hiddenSize: 32,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  initializerRange: 0.05,
};

for (const [name, build] of [
  ["llama", () => buildModel(llama, shape)],
  ["bert, masked", () => buildModel(bert, shape)],
  [
    "bert, classifying",
    () => buildModel(bert, { ...shape, labels: Array.from({ length: 40 }, (_, at) => `${at}`) }),
  ],
] as const)
  test(`${name}: matrices are normal with initializerRange, norms 1, biases 0`, async () => {
    for (const { name: parameter, rank, low, high, deviation } of statistics(await build()))
      if (rank === 1)
        expect([parameter, low, high]).toEqual([
          parameter,
          ...(/orm.*weight$/i.test(parameter) ? [1, 1] : [0, 0]),
        ]);
      else if (!parameter.includes("token_type")) {
        expect(deviation, parameter).toBeGreaterThan(0.045);
        expect(deviation, parameter).toBeLessThan(0.055);
        expect(low, parameter).toBeLessThan(-0.1); // Beyond what even numbers of this deviation reach.
      }
  });

test("embedding_bag: vectors are even in ±1/hiddenSize and the classifier starts from 0, as fastText's", async () => {
  const [table, weight, bias] = statistics(
    await buildModel(embeddingBag, { vocabSize: 500, hiddenSize: 10, labels: ["a", "b"] }),
  );
  expect(table?.low).toBeGreaterThanOrEqual(-0.1);
  expect(table?.low).toBeLessThan(-0.099);
  expect(table?.high).toBeGreaterThan(0.099);
  expect(table?.deviation).toBeCloseTo(0.1 / Math.sqrt(3), 2);
  expect([weight?.low, weight?.high, bias?.low, bias?.high]).toEqual([0, 0, 0, 0]);
});
