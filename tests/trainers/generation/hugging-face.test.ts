/** Tokens are drawn from what transformers draws them from, and greedy texts are its texts (`tests/golden/generation.py`). */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { gpt2 } from "../../../src/models/gpt2.ts";
import { llama } from "../../../src/models/llama.ts";
import { nextTokens } from "../../../src/trainers/generation/distribution.ts";
import { TextGenerator } from "../../../src/trainers/generation/index.ts";
import type { SamplingOptions } from "../../../src/trainers/generation/options.ts";
import { allocateWeights } from "../../../src/trainers/weights.ts";
import { Draws } from "../../golden/draws.ts";
import { buildModel } from "../../golden/hugging-face.ts";
import { numberTokenizer } from "../fixtures.ts";

interface Golden {
  readonly filters: readonly {
    readonly options: SamplingOptions;
    readonly ids: readonly number[];
    readonly probabilities: readonly number[];
  }[];
  readonly texts: readonly {
    readonly model: "gpt2" | "llama";
    readonly options: SamplingOptions;
    readonly prompts: readonly (readonly number[])[];
    readonly continued: readonly (readonly number[])[];
  }[];
}

const path = new URL("../../golden/generation.json", import.meta.url);
const { filters, texts }: Golden = JSON.parse(await readFile(path, "utf8"));
const V = 40;
const [size, heads] = [
  { vocabSize: V, hiddenSize: 24, numHiddenLayers: 2, maxPositionEmbeddings: 48 },
  { numAttentionHeads: 4, numKeyValueHeads: 2, headDim: 6, intermediateSize: 32 },
];
const models = {
  gpt2: () => buildModel(gpt2, { ...size, numAttentionHeads: 3 }),
  llama: () => buildModel(llama, { ...size, ...heads }),
};

test.each(filters.map((golden, index) => ({ index, ...golden })))(
  "the filters $options leave the tokens of transformers, with its probabilities",
  ({ index, options, ids, probabilities }) => {
    const [forLogits, forIds] = [new Draws(800 + index), new Draws(900 + index)];
    const logits = Float32Array.from({ length: V }, () => 12 * forLogits.uniform());
    const seen = Array.from({ length: 12 }, () => (forIds.next() >>> 8) % V);
    const left = nextTokens(logits, options, seen);
    expect([...Array.from(left.ids)]).toEqual(ids);
    const total = left.weights.reduce((sum, weight) => sum + weight, 0);
    for (const [at, probability] of probabilities.entries())
      expect((left.weights[at] ?? Number.NaN) / total).toBeCloseTo(probability, 6);
  },
);

describe.each(texts)("$model with $options", async ({ model: name, options, prompts, continued }) => {
  const model = await models[name]();
  const weights = allocateWeights(model);
  for (const [index, { name: parameter, rank }] of model.parameters().entries()) {
    const draws = new Draws(1 + index);
    const isNorm = rank === 1 && parameter.endsWith(".weight");
    const scale = rank === 1 ? 0.4 : 3;
    const values = weights[parameter]?.data ?? new Float32Array();
    for (let at = 0; at < values.length; at++) values[at] = (isNorm ? 1 : 0) + scale * draws.uniform();
  }
  const generator = new TextGenerator(model, { ...numberTokenizer, vocabSize: V });

  test.each([true, false])("greedy texts are those of transformers (cache: %s)", async (useCache) => {
    const written = prompts.map(() => "");
    const given = { ...options, temperature: 0, maxNewTokens: 30, seed: 0, useCache };
    const asTexts = prompts.map((ids) => ids.join(" "));
    for await (const { prompt, text } of generator.generateBatch(asTexts, weights, given))
      written[prompt] += text;
    expect(written.map((text) => text.split(" ").map(Number))).toEqual(continued);
  });
});
