import { describe, expect, test } from "vitest";
import {
  abs,
  add,
  attention,
  attentionBias,
  broadcastTo,
  cast,
  causalAttention,
  clip,
  columnSum,
  concat,
  constant,
  cos,
  crossEntropy,
  cumsum,
  div,
  erf,
  exp,
  gather,
  gatherElements,
  gelu,
  geluExact,
  gemm,
  grad,
  greater,
  input,
  layerNorm,
  linear,
  log,
  logSoftmax,
  logSumExp,
  matmul,
  maximum,
  minimum,
  mul,
  pow,
  Random,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  relu,
  reshape,
  rmsNorm,
  rotary,
  type Shape,
  scatterAdd,
  sigmoid,
  sign,
  silu,
  sin,
  slice,
  softmax,
  softplus,
  split,
  splitInto,
  sqrt,
  stack,
  sub,
  sumTo,
  type Tensor,
  tanh,
  transpose,
  where,
} from "../../src/tensor/index.ts";
import { evaluate, randomInput } from "./evaluate.ts";

/**
 * Compares `grad` with central differences in float64. The loss is Σ output · (fixed random weights), so that a gradient
 * that is right only in sum is caught.
 */
async function checkGradient(
  shapes: readonly Shape[],
  build: (...inputs: Tensor[]) => Tensor,
  seed = 1,
): Promise<void> {
  const random = new Random(seed);
  const inputs = shapes.map((shape, index) => randomInput(`x${index}`, shape as number[], random));
  const output = build(...inputs.map(({ tensor }) => tensor));
  const weights = Float64Array.from({ length: (output.shape as number[]).reduce((a, b) => a * b, 1) }, () =>
    random.normal(),
  );
  const loss = reduceSum(mul(output, constant(weights, "float64", output.shape)));
  const gradients = grad(
    loss,
    inputs.map(({ tensor }) => tensor),
  );
  const values = Object.fromEntries(inputs.map(({ values }, index) => [`x${index}`, values]));
  const outputs = Object.fromEntries(gradients.map((gradient, index) => [`d${index}`, gradient as Tensor]));
  const actual = await evaluate({ loss, ...outputs }, values);

  const lossOf = async (at: Record<string, Float64Array>): Promise<number> =>
    (await evaluate({ loss }, at)).loss?.[0] ?? Number.NaN;
  const step = 1e-5;
  for (const [index, input] of inputs.entries()) {
    const places =
      input.values.length <= 24
        ? [...input.values.keys()]
        : [...random.permutation(input.values.length)].slice(0, 24);
    for (const place of places) {
      const shifted = async (by: number) => {
        const moved = Float64Array.from(input.values);
        moved[place] = (moved[place] ?? 0) + by;
        return lossOf({ ...values, [`x${index}`]: moved });
      };
      const numeric = ((await shifted(step)) - (await shifted(-step))) / (2 * step);
      const analytic = actual[`d${index}`]?.[place] ?? Number.NaN;
      expect(
        Math.abs(analytic - numeric),
        `d loss / d input ${index} at ${place}: ${analytic} against ${numeric}`,
      ).toBeLessThan(1e-7 * (1 + Math.abs(numeric)) * 10);
    }
  }
}

/** Random shapes from a seed, so that a failure can be repeated. */
function dims(seed: number, count: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => 1 + random.integer(4));
}

const ids = (...values: number[]) => constant(values, "int32", [values.length]);

/** cos or sin of angles (rows, 2, 2). */
const angles = (rows: number, of: (x: Tensor) => Tensor) =>
  of(
    constant(
      Float64Array.from({ length: rows * 4 }, (_, index) => 0.7 * index),
      "float64",
      [rows, 2, 2],
    ),
  );

const cases: Record<string, readonly [readonly Shape[], (...inputs: Tensor[]) => Tensor]> = {
  add: [
    [
      [2, 3],
      [2, 3],
    ],
    (a, b) => add(a as Tensor, b as Tensor),
  ],
  "add, broadcasting both": [
    [
      [2, 1, 3],
      [4, 1],
    ],
    (a, b) => add(a as Tensor, b as Tensor),
  ],
  "sub, broadcasting": [[[3], [2, 3]], (a, b) => sub(a as Tensor, b as Tensor)],
  "mul, broadcasting": [
    [
      [2, 3],
      [2, 1],
    ],
    (a, b) => mul(a as Tensor, b as Tensor),
  ],
  "mul by itself": [[[2, 3]], (a) => mul(a as Tensor, a as Tensor)],
  "div, broadcasting": [[[2, 3], [3]], (a, b) => div(a as Tensor, add(mul(b as Tensor, b as Tensor), 1))],
  exp: [[[2, 3]], (x) => exp(x as Tensor)],
  log: [[[2, 3]], (x) => log(add(mul(x as Tensor, x as Tensor), 0.5))],
  sqrt: [[[2, 3]], (x) => sqrt(add(mul(x as Tensor, x as Tensor), 0.5))],
  sign: [[[2, 3]], (x) => mul(x as Tensor, sign(x as Tensor))],
  tanh: [[[2, 3]], (x) => tanh(x as Tensor)],
  sigmoid: [[[2, 3]], (x) => sigmoid(x as Tensor)],
  softplus: [[[2, 3]], (x) => softplus(mul(x as Tensor, 4))],
  logSumExp: [[[2, 3, 4]], (x) => logSumExp(mul(x as Tensor, 4))],
  gelu: [[[3, 4]], (x) => gelu(mul(x as Tensor, 3))],
  geluExact: [[[3, 4]], (x) => geluExact(mul(x as Tensor, 3))],
  erf: [[[3, 4]], (x) => erf(mul(x as Tensor, 3))],
  silu: [[[3, 4]], (x) => silu(mul(x as Tensor, 3))],
  cos: [[[2, 3]], (x) => cos(mul(x as Tensor, 3))],
  sin: [[[2, 3]], (x) => sin(mul(x as Tensor, 3))],
  softmax: [[[2, 3, 4]], (x) => softmax(x as Tensor)],
  reshape: [[[2, 6]], (x) => reshape(x as Tensor, [3, -1])],
  transpose: [[[2, 3, 4]], (x) => transpose(x as Tensor, [2, 0, 1])],
  broadcastTo: [[[1, 3]], (x) => broadcastTo(x as Tensor, [2, 4, 3])],
  "reduceSum over one axis": [[[2, 3, 4]], (x) => reduceSum(x as Tensor, { axes: [1] })],
  "reduceSum keeping axes": [[[2, 3, 4]], (x) => reduceSum(x as Tensor, { axes: [0, -1], keepDims: true })],
  sumTo: [[[2, 3, 4]], (x) => sumTo(x as Tensor, [3, 1])],
  columnSum: [[[4, 3]], (x) => columnSum(x as Tensor)],
  concat: [
    [
      [2, 3],
      [2, 1],
    ],
    (a, b) => concat([a as Tensor, b as Tensor, a as Tensor], 1),
  ],
  "split, one part unused": [
    [[2, 6]],
    (x) => {
      const [a, , c] = split(x as Tensor, 3, 1);
      return mul(a as Tensor, c as Tensor);
    },
  ],
  splitInto: [[[5, 2]], (x) => reduceSum(splitInto(x as Tensor, [2, 3])[1] as Tensor, { axes: [1] })],
  slice: [[[5, 3]], (x) => slice(x as Tensor, 0, 1, 3)],
  gather: [[[4, 3]], (table) => gather(table as Tensor, ids(2, 0, 2, 2, 3))],
  "gather twice from one table": [
    [[4, 3]],
    (table) => add(gather(table as Tensor, ids(1, 1)), gather(table as Tensor, ids(3, 1))),
  ],
  "gather along an axis": [[[2, 4, 3]], (x) => gather(x as Tensor, ids(2, 0, 2), 1)],
  gatherElements: [
    [[2, 4]],
    (x) => gatherElements(x as Tensor, constant([3, 3, 0, 1, 2, 1], "int32", [2, 3]), 1),
  ],
  scatterAdd: [
    [
      [2, 4],
      [2, 3],
    ],
    (x, u) => scatterAdd(x as Tensor, 1, constant([3, 3, 0, 1, 2, 1], "int32", [2, 3]), u as Tensor),
  ],
  "cumsum, exclusive and reversed": [
    [[3, 4]],
    (x) => cumsum(mul(x as Tensor, x as Tensor), 1, { exclusive: true, reverse: true }),
  ],
  "maximum and minimum, broadcasting": [
    [[2, 3], [3]],
    (a, b) => mul(maximum(a as Tensor, b as Tensor), minimum(b as Tensor, a as Tensor)),
  ],
  clip: [[[3, 4]], (x) => clip(x as Tensor, { min: -0.5, max: 0.5 })],
  "abs and relu": [[[3, 4]], (x) => add(abs(x as Tensor), relu(mul(x as Tensor, 2)))],
  "pow of two tensors": [[[2, 3], [3]], (a, b) => pow(add(mul(a as Tensor, a as Tensor), 0.5), b as Tensor)],
  "where, broadcasting": [
    [
      [2, 3],
      [2, 1],
    ],
    (a, b) => where(greater(a as Tensor, b as Tensor), mul(a as Tensor, a as Tensor), b as Tensor),
  ],
  reduceMean: [[[2, 3, 4]], (x) => reduceMean(mul(x as Tensor, x as Tensor), { axes: [0, 2] })],
  "reduceMax and reduceMin": [
    [[2, 3, 4]],
    (x) => mul(reduceMax(x as Tensor, { axes: [1] }), reduceMin(x as Tensor, { axes: [-2] })),
  ],
  reduceProd: [[[2, 3, 4]], (x) => reduceProd(x as Tensor, { axes: [1], keepDims: true })],
  "softmax over the first axis": [[[3, 4]], (x) => softmax(x as Tensor, 0)],
  logSoftmax: [[[3, 4]], (x) => logSoftmax(mul(x as Tensor, 4))],
  stack: [
    [
      [2, 3],
      [2, 3],
    ],
    (a, b) => stack([a as Tensor, b as Tensor, a as Tensor], 1),
  ],
  matmul: [
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
    (a, b) => matmul(a as Tensor, b as Tensor, { scale: 0.5 }),
  ],
  "matmul, broadcasting the batch": [
    [
      [2, 3, 4],
      [4, 5],
    ],
    (a, b) => matmul(a as Tensor, b as Tensor),
  ],
  "matmul, both transposed": [
    [
      [4, 3],
      [5, 4],
    ],
    (a, b) => matmul(a as Tensor, b as Tensor, { transposeA: true, transposeB: true }),
  ],
  "matmul, first transposed": [
    [
      [2, 4, 3],
      [2, 4, 5],
    ],
    (a, b) => matmul(a as Tensor, b as Tensor, { transposeA: true, scale: 2 }),
  ],
  "gemm with bias": [[[4, 3], [3, 5], [5]], (a, b, c) => gemm(a as Tensor, b as Tensor, { alpha: 0.5 }, c)],
  "gemm, both transposed": [
    [
      [3, 4],
      [5, 3],
    ],
    (a, b) => gemm(a as Tensor, b as Tensor, { transA: true, transB: true, alpha: 2 }),
  ],
  linear: [[[2, 3, 4], [4, 5], [5]], (x, w, b) => linear(x as Tensor, w as Tensor, b)],
  "linear, transposed weight": [
    [
      [2, 3, 4],
      [5, 4],
    ],
    (x, w) => linear(x as Tensor, w as Tensor, undefined, { transposed: true }),
  ],
  layerNorm: [[[2, 3, 5], [5], [5]], (x, w, b) => layerNorm(x as Tensor, w as Tensor, b as Tensor)],
  "layerNorm far from zero": [
    [[3, 5], [5], [5]],
    (x, w, b) => layerNorm(add(x as Tensor, 10), w as Tensor, b as Tensor),
  ],
  causalAttention: [
    [
      [2, 4, 3],
      [2, 4, 3],
      [2, 4, 3],
    ],
    (q, k, v) => causalAttention(q as Tensor, k as Tensor, v as Tensor),
  ],
  "causalAttention with dropout": [
    [
      [2, 4, 3],
      [2, 4, 3],
      [2, 4, 3],
    ],
    (q, k, v) => {
      const factors = Float64Array.from({ length: 32 }, (_, index) => (index % 3 === 0 ? 0 : 1.5));
      return causalAttention(q as Tensor, k as Tensor, v as Tensor, constant(factors, "float64", [2, 4, 4]));
    },
  ],
  attention: [
    [
      [2, 4, 3],
      [2, 4, 3],
      [2, 4, 3],
    ],
    (q, k, v) => attention(q as Tensor, k as Tensor, v as Tensor),
  ],
  "attention, a key head for several query heads, documents apart, with dropout": [
    [
      [2, 2, 3, 4, 2],
      [2, 2, 1, 4, 2],
      [2, 2, 1, 4, 2],
    ],
    (q, k, v) => {
      const factors = Float64Array.from({ length: 192 }, (_, index) => (index % 3 === 0 ? 0 : 1.5));
      const mask = constant([1, 1, 2, 2, 1, 1, 1, 0], "int32", [2, 4]);
      return attention(q as Tensor, k as Tensor, v as Tensor, {
        dropout: constant(factors, "float64", [2, 2, 3, 4, 4]),
        bias: reshape(attentionBias(mask, { dtype: "float64", causal: true }), [2, 1, 1, 4, 4]),
      });
    },
  ],
  rmsNorm: [[[2, 3, 5], [5]], (x, w) => rmsNorm(x as Tensor, w as Tensor)],
  "rmsNorm far from zero": [[[3, 5], [5]], (x, w) => rmsNorm(add(x as Tensor, 10), w as Tensor, 0.1)],
  rotary: [[[2, 3, 2, 4]], (x) => rotary(x as Tensor, angles(1, cos), angles(1, sin))],
  "rotary, a row's own positions": [
    [[2, 3, 2, 4]],
    (x) => rotary(x as Tensor, angles(2, cos), angles(2, sin)),
  ],
  crossEntropy: [[[4, 5]], (logits) => crossEntropy(logits as Tensor, ids(4, 0, 2, 2))],
  "crossEntropy of a linear layer with bias": [
    [[4, 3], [3, 5], [5]],
    (x, w, b) => crossEntropy(linear(x as Tensor, w as Tensor, b), ids(4, 0, 2, 2)),
  ],
  "crossEntropy of a tied projection": [
    [
      [4, 3],
      [5, 3],
    ],
    (x, w) =>
      crossEntropy(linear(x as Tensor, w as Tensor, undefined, { transposed: true }), ids(1, 1, 0, 4)),
  ],
  "crossEntropy of a tied projection to many times more classes than it has inputs": [
    [
      [4, 2],
      [33, 2],
    ],
    (x, w) =>
      crossEntropy(linear(x as Tensor, w as Tensor, undefined, { transposed: true }), ids(1, 1, 0, 32)),
  ],
};

describe("the gradient of every operator equals central differences in float64", () => {
  for (const [name, [shapes, build]] of Object.entries(cases)) test(name, () => checkGradient(shapes, build));
});

describe("gradients on random shapes", () => {
  for (let seed = 0; seed < 8; seed++) {
    test(`products of matrices, transposed and not, batches broadcast, seed ${seed}`, async () => {
      const [b = 1, n = 1, k = 1, m = 1] = dims(200 + seed, 4);
      const [transposeA, transposeB] = [seed % 2 === 1, seed % 4 > 1];
      const left = transposeA ? [k, n] : [n, k];
      const right = transposeB ? [m, k] : [k, m];
      await checkGradient(
        [
          [b, ...left],
          [seed % 3 === 0 ? 1 : b, ...right],
        ],
        (x, y) => matmul(x as Tensor, y as Tensor, { transposeA, transposeB, scale: 0.7 }),
        seed,
      );
      await checkGradient(
        [left, right, [m]],
        (x, y, z) =>
          gemm(x as Tensor, y as Tensor, { transA: transposeA, transB: transposeB, alpha: 0.5 }, z),
        seed,
      );
    });
    test(`moving elements about and summing them, seed ${seed}`, async () => {
      const [a = 1, b = 1, c = 1] = dims(300 + seed, 3);
      await checkGradient(
        [
          [a, b, c],
          [a, 1, c],
        ],
        (x, y) => {
          const joined = concat([x as Tensor, y as Tensor], 1);
          const turned = transpose(joined, [2, 0, 1]);
          const part = slice(reshape(turned, [c, -1]), 1, 0, a);
          return reduceSum(mul(part, part), { axes: [seed % 2], keepDims: seed % 3 === 0 });
        },
        seed,
      );
    });
    test(`embedding, softmax and cross-entropy, seed ${seed}`, async () => {
      const [v = 1, c = 1, n = 1] = dims(400 + seed, 3);
      const random = new Random(seed);
      const draw = () => ids(...Array.from({ length: n }, () => random.integer(v)));
      await checkGradient(
        [
          [v, c],
          [c, v],
        ],
        (table, w) => crossEntropy(linear(softmax(gather(table as Tensor, draw())), w as Tensor), draw()),
        seed,
      );
    });
    test(`broadcasting products and sums, seed ${seed}`, async () => {
      const [a = 1, b = 1, c = 1] = dims(seed, 3);
      await checkGradient(
        [[a, 1, c], [b, 1], [c]],
        (x, y, z) => mul(add(x as Tensor, y as Tensor), sub(z as Tensor, y as Tensor)),
        seed,
      );
    });
    test(`a layer of a transformer, seed ${seed}`, async () => {
      const [batch = 1, length = 1, width = 1] = dims(100 + seed, 3);
      await checkGradient(
        [[batch, length, width], [width], [width], [width, 3 * width]],
        (x, g, b, w) => {
          const [q, k, v] = split(
            linear(layerNorm(x as Tensor, g as Tensor, b as Tensor, 0.1), w as Tensor),
            3,
            -1,
          );
          return add(x as Tensor, gelu(causalAttention(q as Tensor, k as Tensor, v as Tensor)));
        },
        seed,
      );
    });
  }
});

test("the gradient of a cast is cast back; between reals and integers there is none", async () => {
  const x = input("x", "float64", [3]);
  const weights = [0.5, -2, 3];
  const loss = reduceSum(mul(cast(x, "float32"), constant(weights, "float32")));
  const [gradient] = grad(loss, [x]);
  expect(gradient?.dtype).toBe("float64");
  expect((await evaluate({ d: gradient as Tensor }, { x: [1, 2, 3] })).d).toEqual(weights);
  const rounded = reduceSum(cast(cast(x, "int32"), "float64"));
  expect(() => grad(rounded, [x])).toThrow(/no gradient between/);
});
