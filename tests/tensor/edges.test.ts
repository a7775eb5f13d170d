/** What the random graphs of fuzz.test.ts found, each by itself: axes of length 0, and tensors of one number. */
import { expect, test } from "vitest";
import {
  add,
  broadcastTo,
  concat,
  constant,
  type DType,
  fill,
  gelu,
  gemm,
  grad,
  input,
  layerNorm,
  matmul,
  mul,
  reduceProd,
  reduceSum,
  reshape,
  slice,
  type Tensor,
} from "../../src/tensor/index.ts";
import { evaluate } from "./evaluate.ts";

const dtypes = ["float32", "float64"] as const;

/** Leaves numbers other than 0 in the memory that the next graph gets. */
async function dirtyMemory(dtype: DType): Promise<void> {
  const one = input("one", dtype, []);
  const many = Array.from({ length: 60 }, (_, at) => add(fill(7, dtype, [40]), mul(one, at)));
  const sum = many.reduce((total, x) => add(total, mul(x, one)));
  await evaluate({ sum: add(sum, one) }, { one: [1] });
}

test.each(dtypes)(
  "a batch of products over an axis of length 0 is zeros in all of its matrices, %s",
  async (dtype) => {
    await dirtyMemory(dtype);
    const zero = input("zero", dtype, []);
    const [a, b] = [input("a", dtype, [4, 3, 0]), input("b", dtype, [4, 3, 0])];
    const products = matmul(a, b, { transposeB: true });
    const sums = gemm(input("c", dtype, [3, 0]), input("d", dtype, [0, 3]), {}, constant([1, 2, 3], dtype));
    const { y, z } = await evaluate(
      { y: add(products, zero), z: add(sums, zero) },
      {
        zero: [0],
        a: [],
        b: [],
        c: [],
        d: [],
      },
    );
    expect(y).toEqual(Array(36).fill(0));
    expect(z).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
  },
);

test.each(dtypes)(
  "what has no elements can be reshaped, spread, multiplied and joined, %s",
  async (dtype) => {
    const x = input("x", dtype, [0, 3]);
    const turned = reshape(x, [3, 0]);
    const spread = broadcastTo(reshape(x, [3, 0, 1]), [3, 0, 4]);
    const product = matmul(input("rows", dtype, [0, 1]), input("batch", dtype, [0, 1, 1]));
    const results = await evaluate(
      {
        turned,
        product,
        joined: concat([turned, fill(2, dtype, [3, 1])], 1),
        sums: reduceSum(spread, { axes: [1] }),
        factors: reduceProd(x, { axes: [0] }),
      },
      { x: [], rows: [], batch: [] },
    );
    expect(results).toEqual({
      turned: [],
      product: [],
      joined: [2, 2, 2],
      sums: Array(12).fill(0),
      factors: [1, 1, 1],
    });
  },
);

test.each(dtypes)("gradients flow around a part without elements, %s", async (dtype) => {
  const x = input("x", dtype, [2, 3]);
  const none = reduceSum(slice(x, 1, 1, 0), { axes: [1], keepDims: true });
  const [gradient] = grad(reduceSum(mul(add(x, none), x)), [x]);
  const { d } = await evaluate({ d: gradient as Tensor }, { x: [1, 2, 3, 4, 5, 6] });
  expect(d).toEqual([2, 4, 6, 8, 10, 12]);
});

test("gelu of a single number, in float32 too", async () => {
  const { y } = await evaluate({ y: gelu(input("x", "float32", [])) }, { x: [1] });
  expect(y?.[0]).toBeCloseTo(0.841192, 6);
});

test("a float64 gradient keeps its digits where a factor is none of float32's: 1/3 of a norm over 3", async () => {
  const x = input("x", "float64", [1, 3]);
  const [ones, zeros] = [fill(1, "float64", [3]), fill(0, "float64", [3])];
  const weights = constant([1, 0, 0], "float64", [1, 3]);
  const [gradient] = grad(reduceSum(mul(layerNorm(x, ones, zeros, 1), weights)), [x]);
  const { d = [] } = await evaluate({ d: gradient as Tensor }, { x: [1, 2, 3] });
  // x̂ = (−1, 0, 1)/s with s² = 2/3 + 1; dx = (e₁ − 1/3 − x̂·x̂₁/3)/s.
  const s = Math.sqrt(5 / 3);
  const expected = [1 - 1 / 3 - 1 / s ** 2 / 3, -1 / 3, -1 / 3 + 1 / s ** 2 / 3].map((value) => value / s);
  for (const [at, value] of expected.entries()) expect(d[at]).toBeCloseTo(value, 14);
});
