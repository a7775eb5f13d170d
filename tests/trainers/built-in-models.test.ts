/** The built-in models under the trainers: they learn, and documents packed into a row train as they do apart. */
import { describe, expect, test } from "vitest";
import type { Example } from "../../src/data-loaders/index.ts";
import { bert } from "../../src/models/bert.ts";
import { embeddingBag } from "../../src/models/embedding-bag.ts";
import { gpt2 } from "../../src/models/gpt2.ts";
import type { Model } from "../../src/models/index.ts";
import { llama } from "../../src/models/llama.ts";
import { evaluationContext } from "../../src/nn/index.ts";
import { adamW } from "../../src/optim/index.ts";
import { argmax, input } from "../../src/tensor/index.ts";
import { evaluationBatches } from "../../src/trainers/batching.ts";
import { causalObjective } from "../../src/trainers/causal-objective.ts";
import { classificationObjective } from "../../src/trainers/classification-objective.ts";
import { TextGenerator } from "../../src/trainers/generation.ts";
import { maskedObjective } from "../../src/trainers/masked-objective.ts";
import type { Objective } from "../../src/trainers/objective.ts";
import { TrainingStep } from "../../src/trainers/training-step.ts";
import { allocateWeights, initialize } from "../../src/trainers/weights.ts";
import { buildModel } from "../golden/hugging-face.ts";
import { evaluate } from "../tensor/evaluate.ts";
import { collect, encoderTokenizer, memoryLoader, numberTokenizer, randomExamples } from "./fixtures.ts";

const vocabSize = 20;
const small = {
  vocabSize,
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  maxPositionEmbeddings: 12,
};
const noDropout = { hiddenDropoutProb: 0, attentionProbsDropoutProb: 0 };

async function trainingOn(
  model: Model,
  objective: Objective,
  examples: readonly Example[],
  sequenceLength: number,
) {
  const tokenizer = objective.task === "causal_lm" ? numberTokenizer : encoderTokenizer;
  const batchSize = examples.length;
  const options = { vocabSize, batchSize, sequenceLength, seed: 1, objective, tokenizer };
  const data = memoryLoader(examples, examples);
  const [batch] = await collect(evaluationBatches("validation", { ...options, data }));
  if (batch === undefined) throw new Error("no batch");
  const step = new TrainingStep({ ...options, model, optimizer: adamW(), like: batch });
  return { batch, run: (learningRate: number) => step.run([batch], learningRate) };
}

describe.each([
  ["gpt2", () => buildModel(gpt2, { ...small, initializerRange: 0.3 })],
  ["llama", () => buildModel(llama, { ...small, numKeyValueHeads: 1, initializerRange: 0.3 })],
] as const)("%s", (_name, build) => {
  test("documents packed into a row give the loss and the gradient that they give apart", async () => {
    const documents = [
      [5, 6, 7, 4],
      [8, 9, 3],
      [10, 11, 12, 13, 14],
    ];
    const packed = {
      inputIds: documents.flat(),
      documentIds: documents.flatMap((ids, at) => ids.map(() => at + 1)),
    };
    const together = await trainingOn(await build(), causalObjective(), [packed], 12);
    const apart = await trainingOn(
      await build(),
      causalObjective(),
      documents.map((inputIds) => ({ inputIds })),
      12,
    );
    expect(together.batch.attentionMask).toBeDefined();
    expect(apart.batch.attentionMask).toBeUndefined();
    const [one, other] = [await together.run(1e-3), await apart.run(1e-3)];
    expect(one.loss).toBeCloseTo(other.loss, 5);
    expect(one.gradientNorm / other.gradientNorm).toBeCloseTo(1, 5);
    // A negative control: as one long text they give something else.
    const mixed = await trainingOn(await build(), causalObjective(), [{ inputIds: packed.inputIds }], 12);
    expect(Math.abs((await mixed.run(1e-3)).loss - one.loss)).toBeGreaterThan(1e-2);
  });
});

test("llama writes, greedily, what its logits over each whole text say", async () => {
  const model = await buildModel(llama, { ...small, numKeyValueHeads: 1, initializerRange: 0.5 });
  const weights = allocateWeights(model);
  initialize(model, weights, 3);
  const numbers = Object.fromEntries(
    Object.entries(weights).map(([name, { data }]) => [name, data as Float32Array]),
  );
  const ids = [5, 6];
  for (let written = 0; written < 12; written++) {
    const context = ids.slice(-model.maxPositionEmbeddings);
    const inputIds = input("inputIds", "int32", [1, context.length]);
    const { logits } = model.forward({ inputIds }, evaluationContext());
    ids.push(
      (await evaluate({ next: argmax(logits) }, { inputIds: context, ...numbers })).next?.at(-1) ?? -1,
    );
  }
  const options = { maxNewTokens: 12, temperature: 0, seed: 1 };
  const text = await collect(new TextGenerator(model, numberTokenizer).generate("5 6", weights, options));
  expect(text.join("").trim()).toBe(ids.slice(2).join(" "));
  expect(new Set(ids).size).toBeGreaterThan(3);
});

const classes = ["low", "high"];

/** Short texts of low ids or of high ones. */
const texts: readonly Example[] = randomExamples(24, (random) => 3 + random.integer(5)).map(
  ({ inputIds }, at) => ({
    text: inputIds.map((id) => (at % 2 === 0 ? 4 : 12) + (id % 8)).join(" "),
    label: classes[at % 2] as string,
  }),
);

describe("what each learns in a few steps, padded batches included", () => {
  test.each([
    ["bert", () => buildModel(bert, { ...small, ...noDropout, labels: classes }), 60, 5e-3],
    ["embedding_bag", () => buildModel(embeddingBag, { vocabSize, labels: classes, hiddenSize: 8 }), 60, 0.1],
    [
      "embedding_bag with pairs",
      () =>
        buildModel(embeddingBag, { vocabSize, labels: classes, hiddenSize: 8, wordNgrams: 2, buckets: 64 }),
      60,
      0.1,
    ],
  ] as const)("%s: two classes", async (_name, build, steps, learningRate) => {
    const objective = classificationObjective({ labels: classes, multiLabel: false, classWeights: {} });
    const { batch, run } = await trainingOn(await build(), objective, texts, 12);
    expect(batch.attentionMask).toContain(0);
    const first = await run(learningRate);
    expect(first.loss).toBeCloseTo(Math.log(2), 1);
    let loss = first.loss;
    for (let step = 1; step < steps; step++) ({ loss } = await run(learningRate));
    expect(loss).toBeLessThan(0.1);
  });

  test("bert: hidden tokens of a text that says what comes where", async () => {
    const examples = Array.from({ length: 16 }, (_, row) => ({
      text: Array.from({ length: 6 + (row % 4) }, (_, at) => 5 + ((row + at) % 15)).join(" "),
    }));
    const objective = maskedObjective({ mlmProbability: 0.3 });
    const { batch, run } = await trainingOn(
      await buildModel(bert, { ...small, ...noDropout }),
      objective,
      examples,
      12,
    );
    expect(batch.attentionMask).toContain(0);
    const first = await run(5e-3);
    expect(first.loss).toBeCloseTo(Math.log(vocabSize), 0);
    let loss = first.loss;
    for (let step = 1; step < 120; step++) ({ loss } = await run(5e-3));
    expect(loss).toBeLessThan(0.5);
  });
});
