import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { evaluationContext, tokenLosses } from "../../src/nn/index.ts";
import { adamW, learningRateSchedule } from "../../src/optim/index.ts";
import { Program, TensorBuffer } from "../../src/runtime/index.ts";
import { grad, input, mul, reduceSum, type Tensor } from "../../src/tensor/index.ts";
import { TrainingStep } from "../../src/trainers/training-step.ts";
import { allocateWeights, initialize } from "../../src/trainers/weights.ts";
import { floats } from "../golden/draws.ts";
import { goldenBatch, goldenModel } from "../golden/gpt2.ts";

const golden = async (name: string) =>
  JSON.parse(await readFile(new URL(`../golden/${name}.json`, import.meta.url), "utf8"));

test("loss and every gradient agree with PyTorch's in float64 to 1e-5 of the gradient's norm", async () => {
  const expected = await golden("gpt2-gradients");
  const model = await goldenModel();
  const batch = goldenBatch(0);
  const inputIds = input("input_ids", "int32", [3, 8]);
  const labels = input("labels", "int32", [3, 8]);
  const { logits } = model.forward({ inputIds }, evaluationContext());
  const losses = tokenLosses(logits, labels);
  const loss = reduceSum(mul(losses, 1 / batch.counted));
  const gradients = grad(loss, model.parameters());

  const named = Object.fromEntries(
    model.parameters().map(({ name }, index) => [`d/${name}`, gradients[index] as Tensor]),
  );
  const outputs = { losses, loss, ...named };
  const results = Object.fromEntries(
    Object.entries(outputs).map(([name, { shape }]) => [
      name,
      new TensorBuffer({ dtype: "float32", shape: shape as number[] }),
    ]),
  );
  const weights = allocateWeights(model);
  initialize(model, weights, 0);
  const feeds = {
    input_ids: new TensorBuffer({ dtype: "int32", shape: [3, 8], data: batch.inputIds }),
    labels: new TensorBuffer({ dtype: "int32", shape: [3, 8], data: batch.labels }),
    ...weights,
  };
  await new Program({ inputs: [inputIds, labels, ...model.parameters()], outputs })
    .bind(feeds, results)
    .run();

  expect(model.parameters().map(({ name }) => name)).toEqual(
    expected.parameters.map(({ name }: { name: string }) => name),
  );
  expect(results.loss?.data[0]).toBeCloseTo(expected.loss, 5);
  const wanted = expected.tokenLosses.flat() as (number | null)[];
  for (const [place, value] of wanted.entries())
    expect(results.losses?.data[place]).toBeCloseTo(value ?? 0, 5);
  for (const { name, gradient, gradientL2 } of expected.parameters) {
    const reference = floats(gradient);
    const actual = results[`d/${name}`]?.data as Float32Array;
    expect(actual.length, name).toBe(reference.length);
    const difference = Math.hypot(...reference.map((value, at) => value - (actual[at] ?? Number.NaN)));
    expect(difference / gradientL2, name).toBeLessThan(1e-5);
  }
});

test("fifty steps of AdamW with warm-up, cosine and clipping follow PyTorch's", async () => {
  const expected = await golden("gpt2-adamw");
  const model = await goldenModel();
  const step = new TrainingStep({
    model,
    optimizer: adamW({ beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 }),
    batchSize: 3,
    sequenceLength: 8,
    gradientAccumulationSteps: 1,
    maxGradNorm: 1,
    seed: 0,
  });
  const options = { learningRate: 0.01, warmupSteps: 10, maxSteps: 50, minLrRate: 0.1 };
  const schedule = learningRateSchedule({ name: "cosine_with_min_lr", ...options });
  for (const { step: number, learningRate, loss, gradientNorm } of expected.steps) {
    expect(schedule(number)).toBeCloseTo(learningRate, 12);
    const result = await step.run([goldenBatch(number)], schedule(number));
    expect(Math.abs(result.loss / loss - 1), `loss of step ${number}`).toBeLessThan(1e-5);
    expect(Math.abs(result.gradientNorm / gradientNorm - 1), `gradient norm of step ${number}`).toBeLessThan(
      1e-4,
    );
  }
  for (const { name, l2, first, leftOut } of expected.finalParameters) {
    const values = step.weights[name]?.data as Float32Array;
    const [from, to] = (leftOut ?? [0, 0]) as [number, number];
    const counted = values.filter((_value, at) => at < from || at >= to);
    expect(Math.abs(Math.hypot(...counted) / l2 - 1), name).toBeLessThan(1e-5);
    for (const [at, value] of first.entries()) expect(values[at], `${name}[${at}]`).toBeCloseTo(value, 4);
  }
});
