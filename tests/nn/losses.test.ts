/** Losses beside those of PyTorch in float64. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { binaryLosses, tokenLosses } from "../../src/nn/index.ts";
import { input, mul, reduceSum } from "../../src/tensor/index.ts";
import { classificationObjective } from "../../src/trainers/classification-objective.ts";
import { evaluate } from "../tensor/evaluate.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/losses.json", import.meta.url), "utf8")) as Record<
  "logits" | "targets" | "binary",
  number[][]
> &
  Record<"labels" | "weights" | "plain" | "smoothed", number[]> & { readonly weighted: number };

const logits = input("logits", "float64", [6, 5]);
const values = { logits: golden.logits.flat(), labels: golden.labels, targets: golden.targets.flat() };

function expectNear(got: readonly number[] | undefined, wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length);
  for (const [at, value] of wanted.entries()) expect(got?.[at]).toBeCloseTo(value, 12);
}

test("cross-entropy, plain and with label smoothing, 0 where a label is ignored", async () => {
  const labels = input("labels", "int32", [6]);
  const { plain, smoothed } = await evaluate(
    { plain: tokenLosses(logits, labels), smoothed: tokenLosses(logits, labels, { labelSmoothing: 0.1 }) },
    values,
  );
  expectNear(plain, golden.plain);
  expectNear(smoothed, golden.smoothed);
});

test("binary cross-entropy", async () => {
  const { losses } = await evaluate(
    { losses: binaryLosses(logits, input("targets", "int32", [6, 5])) },
    values,
  );
  expectNear(losses, golden.binary.flat());
});

test("class weights: the weighted sum over the sum of the weights that counted", async () => {
  const names = ["a", "b", "c", "d", "e"];
  const classWeights = Object.fromEntries(names.map((name, at) => [name, golden.weights[at] ?? 1]));
  const objective = classificationObjective({ labels: names, multiLabel: false, classWeights });
  const counted = golden.labels.filter((label) => label >= 0);
  const weight = counted.reduce((sum, label) => sum + (golden.weights[label] ?? 0), 0);
  const small = input("logits", "float32", [6, 5]);
  const losses = objective.trainingLosses(small, input("labels", "int32", [6]));
  const { loss } = await evaluate({ loss: mul(reduceSum(losses), 1 / weight) }, values);
  expect(loss?.[0]).toBeCloseTo(golden.weighted, 5);
});
