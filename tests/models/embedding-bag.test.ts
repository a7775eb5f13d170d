import { describe, expect, test } from "vitest";
import { embeddingBag } from "../../src/models/embedding-bag.ts";
import type { Model } from "../../src/models/index.ts";
import { evaluationContext } from "../../src/nn/index.ts";
import { input } from "../../src/tensor/index.ts";
import { buildModel, goldenWeights } from "../golden/hugging-face.ts";
import { evaluate } from "../tensor/evaluate.ts";

const V = 9;
const C = 3;
const BUCKETS = 7;
const labels = ["no", "yes"];

async function logitsOf(model: Model, ids: number[][], mask?: number[][]): Promise<number[]> {
  const shape = [ids.length, ids[0]?.length ?? 0];
  const inputIds = input("inputIds", "int32", shape);
  const given = mask && { attentionMask: input("attentionMask", "int32", shape) };
  const { logits } = model.forward({ inputIds, ...given }, evaluationContext());
  const values = {
    inputIds: ids.flat(),
    ...(mask && { attentionMask: mask.flat() }),
    ...goldenWeights(model),
  };
  return (await evaluate({ logits }, values)).logits ?? [];
}

/** The model written out: the mean over the rows of the table that `rows` names, then the linear layer. */
function expected(model: Model, rows: readonly number[]): number[] {
  const weights = goldenWeights(model);
  const table = weights["embedding.weight"] as Float32Array;
  const mean = Array.from({ length: C }, (_, at) =>
    rows.reduce((sum, row) => sum + (table[row * C + at] ?? Number.NaN) / rows.length, 0),
  );
  return labels.map((_, label) =>
    mean.reduce(
      (sum, value, at) => sum + value * (weights["classifier.weight"]?.[label * C + at] ?? Number.NaN),
      weights["classifier.bias"]?.[label] ?? Number.NaN,
    ),
  );
}

/** The bucket of a run of ids, in JavaScript's integers. */
function bucket(...ids: number[]): number {
  const hash = ids.reduce((sum, id) => (Math.imul(sum, 0x9e3779b1) + id) | 0, 0);
  return V + (((hash % BUCKETS) + BUCKETS) % BUCKETS);
}

const close = (actual: readonly number[], wanted: readonly number[]) => {
  expect(actual).toHaveLength(wanted.length);
  for (const [at, value] of wanted.entries()) expect(actual[at]).toBeCloseTo(value, 5);
};

describe("embedding_bag", () => {
  const options = { vocabSize: V, hiddenSize: C, labels };

  test("is the mean of the tokens' vectors through a linear layer", async () => {
    const model = await buildModel(embeddingBag, options);
    expect(model.parameters().map(({ name, dims }) => [name, dims])).toEqual([
      ["embedding.weight", [V, C]],
      ["classifier.weight", [2, C]],
      ["classifier.bias", [2]],
    ]);
    close(await logitsOf(model, [[1, 8, 1]]), expected(model, [1, 8, 1]));
  });

  test("padding is no token, wherever it stands, and a text of nothing is the bias", async () => {
    const model = await buildModel(embeddingBag, options);
    const ids = [
      [5, 1, 5, 8],
      [5, 5, 5, 5],
    ];
    const mask = [
      [0, 1, 0, 1],
      [0, 0, 0, 0],
    ];
    const bias = [...(goldenWeights(model)["classifier.bias"] ?? [])];
    close(await logitsOf(model, ids, mask), [...expected(model, [1, 8]), ...bias]);
  });

  test("wordNgrams: runs of two and three have vectors by their hash, and the mean is over all", async () => {
    const model = await buildModel(embeddingBag, { ...options, wordNgrams: 3, buckets: BUCKETS });
    expect(model.parameters()[0]?.dims).toEqual([V + BUCKETS, C]);
    const rows = [1, 8, 2, 4, bucket(1, 8), bucket(8, 2), bucket(2, 4), bucket(1, 8, 2), bucket(8, 2, 4)];
    close(await logitsOf(model, [[1, 8, 2, 4]]), expected(model, rows));
    // The same tokens in another order are another text.
    const turned = await logitsOf(model, [[4, 2, 8, 1]]);
    expect(turned).not.toEqual(await logitsOf(model, [[1, 8, 2, 4]]));
  });

  test("no run goes over the end of a document or over padding", async () => {
    const model = await buildModel(embeddingBag, { ...options, wordNgrams: 2, buckets: BUCKETS });
    const rows = [1, 8, 2, 4, bucket(1, 8), bucket(2, 4)];
    close(await logitsOf(model, [[1, 8, 2, 4, 3, 3]], [[1, 1, 2, 2, 0, 0]]), expected(model, rows));
  });

  test("large ids hash as 32-bit integers do", async () => {
    const vocabSize = 60_000;
    const model = await buildModel(embeddingBag, {
      vocabSize,
      hiddenSize: 1,
      labels: ["a"],
      wordNgrams: 2,
      buckets: 5,
    });
    const table = goldenWeights(model)["embedding.weight"] as Float32Array;
    const hash = (Math.imul(59_999, 0x9e3779b1) + 31_337) | 0;
    const row = vocabSize + (((hash % 5) + 5) % 5);
    const mean = ((table[59_999] ?? 0) + (table[31_337] ?? 0) + (table[row] ?? 0)) / 3;
    const { "classifier.weight": weight, "classifier.bias": bias } = goldenWeights(model);
    close(await logitsOf(model, [[59_999, 31_337]]), [mean * (weight?.[0] ?? 0) + (bias?.[0] ?? 0)]);
  });

  test("config names the classes both ways", async () => {
    const { config } = await buildModel(embeddingBag, options);
    expect(config).toMatchObject({ id2label: { 0: "no", 1: "yes" }, label2id: { no: 0, yes: 1 } });
  });
});
