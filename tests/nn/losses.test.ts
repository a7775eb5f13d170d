/** Losses beside those of PyTorch in float64. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  binaryLosses,
  contrastiveLosses,
  divergenceLosses,
  normalize,
  squaredErrors,
  tokenLosses,
} from "../../src/nn/index.ts";
import { grad, input, mul, reduceMean, reduceSum, type Tensor } from "../../src/tensor/index.ts";
import { classificationObjective } from "../../src/trainers/classification-objective.ts";
import { evaluate } from "../tensor/evaluate.ts";

type DifferentiatedName =
  | "squares"
  | "divergence"
  | "divergence, temperature 2.5"
  | "contrast"
  | "contrast, further negatives, products"
  | "contrast, symmetric";

/** Losses, their mean, and the gradients of the mean. */
interface Differentiated {
  readonly inputs: Readonly<Record<string, number[][]>>;
  readonly losses: number[] | number[][];
  readonly mean: number;
  readonly gradients: Readonly<Record<string, number[][]>>;
}

const golden = JSON.parse(readFileSync(new URL("../golden/losses.json", import.meta.url), "utf8")) as Record<
  "logits" | "targets" | "binary",
  number[][]
> &
  Record<"labels" | "weights" | "plain" | "smoothed", number[]> & { readonly weighted: number } & Record<
    DifferentiatedName,
    Differentiated
  >;

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

test.each<[DifferentiatedName, (a: Tensor, b: Tensor) => Tensor]>([
  ["squares", squaredErrors],
  ["divergence", divergenceLosses],
  ["divergence, temperature 2.5", (a, b) => divergenceLosses(a, b, { temperature: 2.5 })],
  ["contrast", contrastiveLosses],
  [
    "contrast, further negatives, products",
    (a, b) => contrastiveLosses(a, b, { temperature: 0.5, cosine: false }),
  ],
  ["contrast, symmetric", (a, b) => contrastiveLosses(a, b, { temperature: 0.2, symmetric: true })],
])("%s: each loss, their mean, and its gradients", async (name, build) => {
  const { inputs, losses, mean, gradients } = golden[name];
  const tensors = Object.entries(inputs).map(([key, rows]) =>
    input(key, "float64", [rows.length, rows[0]?.length ?? 0]),
  );
  const each = build(...(tensors as [Tensor, Tensor]));
  const loss = reduceMean(each);
  const found = grad(loss, tensors);
  const results = await evaluate(
    {
      each,
      loss,
      ...Object.fromEntries(Object.keys(inputs).map((key, at) => [`d_${key}`, found[at] as Tensor])),
    },
    Object.fromEntries(Object.entries(inputs).map(([key, rows]) => [key, rows.flat()])),
  );
  expectNear(results.each, losses.flat());
  expectNear(results.loss, [mean]);
  for (const [key, rows] of Object.entries(gradients)) expectNear(results[`d_${key}`], rows.flat());
});

test("a row of zeros is normalized to zeros, and its gradient is finite", async () => {
  const x = input("x", "float64", [2, 2]);
  const unit = normalize(x);
  const [gradient] = grad(reduceSum(unit), [x]);
  const { unit: rows, d } = await evaluate({ unit, d: gradient as Tensor }, { x: [3, 4, 0, 0] });
  expectNear(rows, [0.6, 0.8, 0, 0]);
  expect(d?.every(Number.isFinite)).toBe(true);
});

test("losses of shapes or temperatures that do not fit say so", () => {
  const x = (...shape: number[]) => input("x", "float32", shape);
  expect(() => divergenceLosses(x(2, 3), x(2, 4))).toThrow(
    /^divergenceLosses: the logits of student x float32\(2, 3\) and teacher x float32\(2, 4\) need one shape/,
  );
  expect(() => divergenceLosses(x(2, 3), x(2, 3), { temperature: 0 })).toThrow(/above 0; got 0/);
  expect(() => contrastiveLosses(x(4, 3), x(3, 3))).toThrow(/^contrastiveLosses: needs queries \(B, C\)/);
  expect(() => contrastiveLosses(x(3, 3), x(3, 3), { temperature: Number.NaN })).toThrow(/above 0; got NaN/);
});
