/** Batches that are padded no further than they need, and rows of similar length put together. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Example } from "../../src/data-loaders/index.ts";
import { bert } from "../../src/models/bert.ts";
import { embeddingBag } from "../../src/models/embedding-bag.ts";
import { gpt2 } from "../../src/models/gpt2.ts";
import type { Model } from "../../src/models/index.ts";
import { llama } from "../../src/models/llama.ts";
import { adamW } from "../../src/optim/index.ts";
import {
  type BatchOptions,
  type DataPosition,
  evaluationBatches,
  trainingBatches,
} from "../../src/trainers/batching.ts";
import { causalObjective } from "../../src/trainers/causal-objective.ts";
import { classificationObjective } from "../../src/trainers/classification-objective.ts";
import { Evaluator } from "../../src/trainers/evaluation.ts";
import { bucketOf, lengthBuckets } from "../../src/trainers/length-buckets.ts";
import { GROUP_BATCHES } from "../../src/trainers/length-groups.ts";
import { maskedObjective } from "../../src/trainers/masked-objective.ts";
import type { Objective } from "../../src/trainers/objective.ts";
import { TrainingStep } from "../../src/trainers/training-step.ts";
import { buildModel } from "../golden/hugging-face.ts";
import { collect, encoderTokenizer, memoryLoader, numberTokenizer, randomExamples } from "./fixtures.ts";

describe("the lengths that batches are padded to", () => {
  test("are eighths of the longest, rounded up", () => {
    expect(lengthBuckets(128)).toEqual([16, 32, 48, 64, 96, 128]);
    expect(lengthBuckets(512)).toEqual([64, 128, 192, 256, 384, 512]);
    expect(lengthBuckets(100)).toEqual([16, 32, 48, 64, 80, 100]);
    expect(lengthBuckets(20)).toEqual([8, 16, 20]);
    expect(lengthBuckets(5)).toEqual([5]);
  });

  test("each batch gets the shortest that holds it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2048 }), fc.nat(), (longest, seed) => {
        const lengths = lengthBuckets(longest);
        const wanted = (seed % longest) + 1;
        const bucket = bucketOf(wanted, lengths);
        expect(bucket).toBe(Math.min(...lengths.filter((length) => length >= wanted)));
        expect(lengths.at(-1)).toBe(longest);
      }),
    );
  });
});

const classes = ["low", "high"];
const small = { vocabSize: 20, hiddenSize: 16, numHiddenLayers: 2, numAttentionHeads: 2 };
const noDropout = { hiddenDropoutProb: 0, attentionProbsDropoutProb: 0 };
const classifying = classificationObjective({ labels: classes, multiLabel: false });

/** Texts of 2 to 7 ids, some with a second one. */
const texts: readonly Example[] = randomExamples(6, (random) => 2 + random.integer(4)).map(
  ({ inputIds }, at) => ({
    text: inputIds.map((id) => 4 + (id % 16)).join(" "),
    label: classes[at % 2] as string,
  }),
);
const pairs = texts.map((example, at) => (at % 2 === 0 ? { ...example, textPair: "7 9" } : example));

describe.each([
  ["gpt2", causalObjective(), texts, () => buildModel(gpt2, { ...small, maxPositionEmbeddings: 32 })],
  ["llama", causalObjective(), texts, () => buildModel(llama, { ...small, maxPositionEmbeddings: 32 })],
  [
    "bert that guesses",
    maskedObjective({ mlmProbability: 0.3 }),
    texts,
    () => buildModel(bert, { ...small, ...noDropout, maxPositionEmbeddings: 32 }),
  ],
  [
    "bert that classifies pairs",
    classifying,
    pairs,
    () => buildModel(bert, { ...small, ...noDropout, maxPositionEmbeddings: 32, labels: classes }),
  ],
  [
    "embedding_bag",
    classifying,
    texts,
    () =>
      buildModel(embeddingBag, { vocabSize: 20, hiddenSize: 8, wordNgrams: 2, buckets: 64, labels: classes }),
  ],
] as const)("%s", (_name, objective: Objective, examples, build: () => Promise<Model>) => {
  const options: BatchOptions = {
    data: memoryLoader(examples, examples),
    tokenizer: objective.task === "causal_lm" ? numberTokenizer : encoderTokenizer,
    vocabSize: 20,
    batchSize: examples.length,
    sequenceLength: 32,
    seed: 1,
    objective,
  };

  test("loss and gradient do not depend on how far a batch is padded", async () => {
    const updated = async (lengths: readonly number[]) => {
      const [batch] = await collect(evaluationBatches("validation", { ...options, lengths }));
      if (batch === undefined) throw new Error("no batch");
      // One step of size 1 without momentum's bias left: the weights then tell every gradient's direction.
      const step = new TrainingStep({
        ...options,
        model: await build(),
        optimizer: adamW({ epsilon: 1, weightDecay: 0 }),
        like: batch,
      });
      const result = await step.run([batch], 1);
      const weights = Object.fromEntries(
        Object.entries(step.weights).map(([name, { data }]) => [name, data]),
      );
      return { length: batch.inputIds.length / examples.length, result, weights };
    };
    const [short, long] = [await updated([8, 16, 32]), await updated([32])];
    expect([short.length, long.length]).toEqual([
      objective === classifying && examples === pairs ? 16 : 8,
      32,
    ]);
    expect(short.result.loss).toBeCloseTo(long.result.loss, 5);
    expect(short.result.gradientNorm / long.result.gradientNorm).toBeCloseTo(1, 4);
    for (const [name, values] of Object.entries(short.weights))
      for (const [at, value] of values.entries())
        expect(Math.abs(value - (long.weights[name]?.[at] ?? Number.NaN)), name).toBeLessThan(1e-5);
  });

  test("an evaluation neither", async () => {
    const model = await build();
    const weights = new TrainingStep({ ...options, model, optimizer: adamW() }).weights;
    const lossAt = async (lengths: readonly number[]) => {
      const evaluation = await new Evaluator(model, [], { ...options, batchSize: 2, lengths }).evaluate(
        "validation",
        weights,
      );
      return evaluation.loss;
    };
    expect(await lossAt([8, 16, 32])).toBeCloseTo(await lossAt([32]), 5);
  });
});

/** Documents of which each begins with a number of its own. */
function numbered(count: number, seed = 1): readonly Example[] {
  return randomExamples(count, (random) => 2 + random.integer(30), seed).map(({ inputIds }, at) => ({
    inputIds: Int32Array.of(at, ...inputIds),
  }));
}

const grouping = (examples: readonly Example[], more: Partial<BatchOptions> = {}): BatchOptions => ({
  data: memoryLoader(examples),
  tokenizer: numberTokenizer,
  vocabSize: 10_000,
  batchSize: 4,
  sequenceLength: 32,
  seed: 1,
  lengths: lengthBuckets(32),
  groupByLength: true,
  ...more,
});

async function take(count: number, given: BatchOptions, from?: DataPosition) {
  const results = [];
  const source = trainingBatches(given, from);
  while (results.length < count) results.push((await source.next()).value);
  await source.return(undefined as never);
  return results;
}

type Taken = Awaited<ReturnType<typeof take>>;

function numbersIn(taken: Taken): number[] {
  return taken.flatMap(({ batch: { inputIds, rows } }) =>
    Array.from({ length: rows }, (_, row) => inputIds[(row * inputIds.length) / rows] ?? -1),
  );
}

function positionsIn(taken: Taken): number {
  return taken.reduce((sum, { batch }) => sum + batch.inputIds.length, 0);
}

describe("groupByLength", () => {
  test.each([
    ["fewer rows than a group", 100],
    ["more", 2 * 4 * GROUP_BATCHES + 60],
  ])("uses each example once an epoch: %s", async (_name, count) => {
    const epochs = await take((2 * count) / 4, grouping(numbered(count)));
    const numbers = numbersIn(epochs);
    const all = Array.from({ length: count }, (_, at) => at);
    expect(numbers.slice(0, count).sort((a, b) => a - b)).toEqual(all);
    expect(numbers.slice(count).sort((a, b) => a - b)).toEqual(all);
    expect(numbers.slice(0, count)).not.toEqual(numbers.slice(count));
  });

  test("what an epoch has too few of for a batch begins the next one", async () => {
    const count = 4 * 7 + 3;
    const numbers = numbersIn(await take(4 * (count / 4 + 1), grouping(numbered(count))));
    const times = new Map<number, number>();
    for (const number of numbers.slice(0, 4 * count)) times.set(number, (times.get(number) ?? 0) + 1);
    expect(times.size).toBe(count);
    for (const [number, of] of times) expect([3, 4, 5], `example ${number}`).toContain(of);
    // Fewer examples than a batch has are no reason to stop.
    expect(new Set(numbersIn(await take(3, grouping(numbered(3)))))).toEqual(new Set([0, 1, 2]));
  });

  test("needs less padding, in batches whose order says nothing of their lengths", async () => {
    const examples = numbered(800);
    const grouped = await take(200, grouping(examples));
    const mixed = await take(200, grouping(examples, { groupByLength: false }));
    const full = await take(200, grouping(examples, { lengths: [32] }));
    expect(positionsIn(mixed)).toBeLessThanOrEqual(positionsIn(full));
    expect(positionsIn(grouped)).toBeLessThan(0.75 * positionsIn(mixed));
    const lengths = grouped.slice(0, GROUP_BATCHES).map(({ batch }) => batch.inputIds.length);
    expect(lengths).not.toEqual(lengths.toSorted((a, b) => a - b));
    expect(new Set(lengths).size).toBe(4);
  });

  test("goes on from any position to the batches that would have followed, reading one group", async () => {
    const given = grouping(numbered(251));
    const whole = await take(140, given);
    for (const stop of [1, 2, 49, 50, 51, 62, 63, 100, 112, 125, 139]) {
      const position = whole[stop - 1]?.position;
      const starts: DataPosition[] = [];
      const watched = {
        ...given,
        data: {
          ...given.data,
          examples: (...[split, request]: Parameters<typeof given.data.examples>) => {
            starts.push({ epoch: request.epoch, start: request.start });
            return given.data.examples(split, request);
          },
        },
      };
      // As JSON, which is how a checkpoint has it.
      const rest = await take(140 - stop, watched, JSON.parse(JSON.stringify(position)));
      expect(rest.map(({ batch }) => batch)).toEqual(whole.slice(stop).map(({ batch }) => batch));
      expect(rest.at(-1)?.position).toEqual(whole.at(-1)?.position);
      expect(starts[0]).toEqual({ epoch: position?.epoch, start: position?.start });
    }
    const wrong = await take(10, given, { epoch: 0, start: 0 });
    expect(wrong.map(({ batch }) => batch)).not.toEqual(whole.slice(10, 20).map(({ batch }) => batch));
  });

  test("depends on the seed and the epoch alone", async () => {
    const batches = async (seed: number) =>
      (await take(40, grouping(numbered(120), { seed }))).map(({ batch }) => batch);
    const first = await batches(1);
    expect(await batches(1)).toEqual(first);
    expect(await batches(2)).not.toEqual(first);
    expect(first.slice(30)).not.toEqual(first.slice(0, 10));
  });

  test("gathers what is left out and cut as without", async () => {
    const examples = [
      ...numbered(40),
      { inputIds: [7] },
      { inputIds: Int32Array.from({ length: 60 }, () => 3) },
    ];
    const [last] = (await take(41, grouping(examples))).slice(-1);
    expect(last?.counts.truncated).toBeGreaterThanOrEqual(3);
    expect(last?.counts.dropped).toBeGreaterThanOrEqual(3);
  });
});

test("an evaluation's last batch is no shorter than the one before", async () => {
  const examples = [20, 22, 18, 30, 3].map((length) => ({ inputIds: Int32Array.from({ length }, () => 1) }));
  const options = grouping([], { data: memoryLoader([], examples) });
  const lengths = (await collect(evaluationBatches("validation", options))).map(
    ({ inputIds }) => inputIds.length / 4,
  );
  expect(lengths).toEqual([32, 32]);
});
