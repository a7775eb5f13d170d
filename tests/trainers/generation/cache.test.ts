/** What is written with a key-value cache is what is written without, token for token. */
import { describe, expect, test } from "vitest";
import { gpt2 } from "../../../src/models/gpt2.ts";
import type { Model } from "../../../src/models/index.ts";
import { llama } from "../../../src/models/llama.ts";
import { Random } from "../../../src/tensor/index.ts";
import { CachedDecoder, type Decoder, RecomputingDecoder } from "../../../src/trainers/generation/decoder.ts";
import { DecoderGraphs } from "../../../src/trainers/generation/decoder-graphs.ts";
import { TextGenerator } from "../../../src/trainers/generation/index.ts";
import type { BatchGenerationOptions } from "../../../src/trainers/generation/options.ts";
import { allocateWeights, initialize, type Weights } from "../../../src/trainers/weights.ts";
import { buildModel } from "../../golden/hugging-face.ts";
import { numberTokenizer } from "../fixtures.ts";

const size = { vocabSize: 20, hiddenSize: 24, numHiddenLayers: 2, initializerRange: 0.5 };
const models: Readonly<Record<string, () => Promise<Model>>> = {
  gpt2: () => buildModel(gpt2, { ...size, numAttentionHeads: 3, maxPositionEmbeddings: 20 }),
  llama: () =>
    buildModel(llama, {
      ...size,
      numAttentionHeads: 6,
      numKeyValueHeads: 2,
      headDim: 4,
      maxPositionEmbeddings: 20,
    }),
  "llama, one key head": () =>
    buildModel(llama, { ...size, numAttentionHeads: 3, numKeyValueHeads: 1, maxPositionEmbeddings: 20 }),
};

function weightsOf(model: Model): Weights {
  const parameters = allocateWeights(model);
  initialize(model, parameters, 3);
  return parameters;
}

const ids = (length: number, seed: number) => {
  const random = new Random(seed);
  return Array.from({ length }, () => random.integer(20));
};

/** Prompts of different lengths; the last is longer than the models' positions. */
const prompts = [5, 1, 14, 30].map((length, seed) => ids(length, seed).join(" "));

/** The texts of each prompt and sequence. */
async function texts(generator: TextGenerator, weights: Weights, options: Partial<BatchGenerationOptions>) {
  const all = new Map<string, string>();
  const given = { maxNewTokens: 30, seed: 7, ...options };
  for await (const { prompt, sequence, text } of generator.generateBatch(prompts, weights, given))
    all.set(`${prompt} ${sequence}`, (all.get(`${prompt} ${sequence}`) ?? "") + text);
  return Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? Number.NaN))), 0);
}

describe.each(Object.keys(models))("%s", async (name) => {
  const model = (await models[name]?.()) as Model;
  const weights = weightsOf(model);
  const generator = new TextGenerator(model, numberTokenizer);
  const graphs = new DecoderGraphs(model);

  test.each([
    { temperature: 0 },
    { temperature: 1 },
    { temperature: 1.5, topK: 9, topP: 0.9, minP: 0.02, repetitionPenalty: 1.3, numReturnSequences: 2 },
  ])("cached and not cached write the same, beyond the model's positions: %o", async (options) => {
    const uncached = await texts(generator, weights, { ...options, useCache: false, batchSize: 1 });
    expect(Object.keys(uncached)).toHaveLength(prompts.length * (options.numReturnSequences ?? 1));
    for (const batchSize of [1, 3])
      expect(await texts(generator, weights, { ...options, batchSize })).toEqual(uncached);
    expect(await texts(generator, weights, { ...options, useCache: false, batchSize: 4 })).toEqual(uncached);
  });

  test("weights that are part of the graph write the same", async () => {
    const expected = await texts(generator, weights, { temperature: 0 });
    const constant = new TextGenerator(model, numberTokenizer, weights);
    expect(await texts(constant, weights, { temperature: 0 })).toEqual(expected);
    const others = weightsOf(model);
    await expect(texts(constant, others, { temperature: 0 })).rejects.toThrow(
      /another ".*" than the one that the generator was made for/,
    );
  });

  test("a prompt read at once and read token by token have the same logits after it", async () => {
    const prompt = ids(20, 9);
    const whole = new CachedDecoder(graphs, weights);
    const atOnce = (await whole.logits([{ ids: prompt, promptLength: 20 }])).slice();
    const bit = new CachedDecoder(graphs, weights);
    const row = { ids: [] as number[], promptLength: 1 };
    let last: Float32Array = new Float32Array();
    for (const id of prompt) {
      row.ids.push(id);
      last = await bit.logits([row]);
    }
    expect(largestDifference(atOnce, last)).toBeLessThan(1e-4);
  });

  test("a text whose window has moved is read anew, though as many tokens are remembered as it needs", async () => {
    const row = { ids: ids(10, 30), promptLength: 10 };
    const [cached, plain] = [new CachedDecoder(graphs, weights), new RecomputingDecoder(graphs, weights)];
    await cached.logits([row]);
    row.ids.push(...ids(11, 31)); // 21 tokens at 20 positions: the last 11 are seen, the first 10 were remembered.
    expect(largestDifference(await cached.logits([row]), await plain.logits([row]))).toBeLessThan(1e-4);
  });

  test("rows may come, go and change places between tokens", async () => {
    const rows = [3, 20, 9, 18].map((length, seed) => ({
      ids: ids(length, 20 + seed),
      promptLength: length,
    }));
    const decoders: readonly Decoder[] = [
      new CachedDecoder(graphs, weights),
      new RecomputingDecoder(graphs, weights),
    ];
    const random = new Random(1);
    for (let turn = 0; turn < 40; turn++) {
      const order = [...random.permutation(rows.length)].slice(0, 1 + random.integer(rows.length));
      const asked = turn % 3 === 0 ? order.map((at) => rows[at] as (typeof rows)[number]) : rows;
      const [cached, plain] = (await Promise.all(decoders.map((decoder) => decoder.logits(asked)))) as [
        Float32Array,
        Float32Array,
      ];
      expect(largestDifference(cached, plain)).toBeLessThan(1e-4);
      for (const row of asked) row.ids.push(random.integer(20));
    }
  });
});

test("more tokens than were first given room are remembered", async () => {
  const model = await buildModel(gpt2, { ...size, numAttentionHeads: 3, maxPositionEmbeddings: 150 });
  const generator = new TextGenerator(model, numberTokenizer);
  const weights = weightsOf(model);
  const options = { temperature: 0, maxNewTokens: 90 };
  const cached = await texts(generator, weights, options);
  expect(cached).toEqual(await texts(generator, weights, { ...options, useCache: false }));
});
