import { describe, expect, test } from "vitest";
import { bitsPerByte } from "../../src/metrics/bits-per-byte.ts";
import type { Metric } from "../../src/metrics/index.ts";
import { perplexity } from "../../src/metrics/perplexity.ts";
import { tokenAccuracy } from "../../src/metrics/token-accuracy.ts";
import { getTokenizer } from "../../src/tokenizers/index.ts";
import { Evaluator } from "../../src/trainers/evaluation.ts";
import type { NamedMetric } from "../../src/trainers/index.ts";
import { allocateWeights, initialize } from "../../src/trainers/weights.ts";
import { memoryLoader, numberTokenizer, randomExamples, smallGpt } from "./fixtures.ts";

async function metricsOf(): Promise<NamedMetric[]> {
  const share: Metric = ({ predictions, references }) => {
    const pairs = predictions.flatMap((row, at) =>
      Array.from(row, (id, place) => id === references[at]?.[place]),
    );
    return pairs.filter(Boolean).length / pairs.length;
  };
  return [
    { name: "perplexity", metric: await perplexity.create({}, { directory: "." }) },
    { name: "token_accuracy", metric: await tokenAccuracy.create({}, { directory: "." }) },
    { name: "share", metric: share },
  ];
}

async function evaluateWith(batchSize: number) {
  const model = await smallGpt();
  const weights = allocateWeights(model);
  initialize(model, weights, 3);
  const data = memoryLoader(
    [],
    randomExamples(13, (random) => 2 + random.integer(8), 5),
  );
  const options = { data, tokenizer: numberTokenizer, vocabSize: 20, batchSize, sequenceLength: 8, seed: 1 };
  return new Evaluator(model, await metricsOf(), options).evaluate("validation", weights);
}

test("loss and metrics do not depend on the batch size, with sequences of many lengths", async () => {
  const one = await evaluateWith(1);
  for (const batchSize of [2, 8, 64]) {
    const many = await evaluateWith(batchSize);
    expect(many.tokens).toBe(one.tokens);
    expect(many.loss).toBeCloseTo(one.loss, 6);
    expect(many.metrics.perplexity).toBeCloseTo(one.metrics.perplexity as number, 4);
    expect(many.metrics.token_accuracy).toBe(one.metrics.token_accuracy);
    expect(many.metrics.share).toBe(one.metrics.share);
  }
  expect(one.metrics.perplexity).toBeCloseTo(Math.exp(one.loss), 3);
  expect(one.metrics.share).toBe(one.metrics.token_accuracy);
});

describe("a split that cannot be evaluated is an error", () => {
  test("without a token to predict", async () => {
    const model = await smallGpt();
    const weights = allocateWeights(model);
    const data = memoryLoader([], [{ inputIds: [3] }]);
    const evaluator = new Evaluator(model, [], {
      data,
      tokenizer: numberTokenizer,
      vocabSize: 20,
      batchSize: 2,
      sequenceLength: 8,
      seed: 1,
    });
    await expect(evaluator.evaluate("validation", weights)).rejects.toThrow(
      /validation split has no token to predict/,
    );
  });
});

describe("bits per byte counts the bytes of the original text", () => {
  const texts = ["Ça ira, ÉTÉ: the İstanbul ﬁnal", "the end of Donaudampfschifffahrt, the END"];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

  test.each([
    [
      "lower-casing, without accents",
      "bpe",
      { vocabSize: 280, normalizer: "nfkd", stripAccents: true, lowercase: true },
    ],
    ["unknown words", "whitespace", { minFrequency: 2 }],
    ["unknown characters", "char", { minFrequency: 3 }],
    ["pieces of words", "wordpiece", { vocabSize: 120 }],
  ] as const)("%s", async (_, name, options) => {
    const tokenizer = await getTokenizer<string>(name, options);
    await tokenizer.train?.(
      (async function* () {
        yield* texts;
      })(),
    );
    expect(tokenizer.byteLength).toBeUndefined();
    const ids = texts.reduce((sum, text) => sum + tokenizer.encode(text).length, 0);
    const model = await smallGpt({ vocabSize: tokenizer.vocabSize, maxPositionEmbeddings: 64 });
    const weights = allocateWeights(model);
    initialize(model, weights, 3);
    const metric = await bitsPerByte.create({}, { directory: "." });
    const results = [];
    for (const batchSize of [1, 2]) {
      const evaluator = new Evaluator(model, [{ name: "bits_per_byte", metric }], {
        data: memoryLoader(
          [],
          texts.map((text) => ({ text })),
        ),
        tokenizer,
        vocabSize: tokenizer.vocabSize,
        batchSize,
        sequenceLength: 64,
        seed: 1,
      });
      results.push(await evaluator.evaluate("validation", weights));
    }
    const [{ loss = 0, tokens = 0, metrics } = {}, other] = results;
    // All ids but the first of each text are predicted, and each has its share of the bytes.
    expect(tokens).toBe(ids - texts.length);
    const counted = (loss * tokens) / Math.LN2 / (metrics?.bits_per_byte as number);
    expect(Math.abs(counted - (bytes * tokens) / ids)).toBeLessThan(1.01);
    expect(other?.metrics.bits_per_byte).toBeCloseTo(metrics?.bits_per_byte as number, 4);
  });
});
