import { expect, test } from "vitest";
import {
  add,
  gather,
  gemm,
  input,
  linear,
  operationsOf,
  Random,
  reshape,
  type Tensor,
} from "../../../src/tensor/index.ts";
import { chosenRows } from "../../../src/trainers/generation/last-rows.ts";
import { evaluate } from "../../tensor/evaluate.ts";

const [B, T, C, V] = [2, 3, 4, 5];
const values = (length: number, seed: number) => {
  const random = new Random(seed);
  return Array.from({ length }, () => random.normal());
};
const x = input("x", "float32", [B, T, C]);
const last = input("last", "int32", [B]);
const given = { x: values(B * T * C, 1), w: values(C * V, 2), bias: values(V, 3), last: [1, 5] };
const [w, bias] = [input("w", "float32", [C, V]), input("bias", "float32", [V])];
const states = input("x", "float32", [C, B * T]);
const transposed = input("w", "float32", [V, C]);

test.each<[string, Tensor, number]>([
  ["a product", linear(x, w), B],
  ["a product with a bias", linear(x, w, bias), B],
  ["a product with a transposed matrix", linear(x, transposed, undefined, { transposed: true }), B],
  ["a product of transposed states", reshape(gemm(states, w, { transA: true }), [B, T, V]), B * T],
  ["something computed from a product", add(linear(x, w), 1), B * T],
  [
    "a product of other rows",
    reshape(linear(reshape(x, [B * T * 2, C / 2]), input("v", "float32", [C / 2, V])), [B, T, 2 * V]),
    B * T * 2,
  ],
])("rows of %s are those of the whole, and as few as can be are multiplied", async (_name, logits, rows) => {
  const chosen = chosenRows(logits, last);
  const whole = gather(reshape(logits, [B * T, logits.dim(-1)]), last);
  const result = await evaluate({ chosen, whole }, { ...given, v: values((C / 2) * V, 4) });
  for (const [at, value] of (result.whole ?? []).entries()) expect(result.chosen?.[at]).toBeCloseTo(value, 5);
  expect(result.chosen).toHaveLength(B * Number(logits.dim(-1)));
  const products = operationsOf([chosen]).filter(({ operator }) => operator.name === "gemm");
  expect(products.map(({ outputs }) => outputs[0]?.dim(0))).toEqual([rows]);
});
