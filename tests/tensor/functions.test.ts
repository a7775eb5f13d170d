/** Operators beside those of PyTorch in float64, values and gradients; all in one graph a dtype. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  abs,
  argmax,
  argmin,
  cast,
  clip,
  constant,
  cumsum,
  equal,
  floor,
  gather,
  gatherElements,
  grad,
  greater,
  greaterEqual,
  input,
  less,
  lessEqual,
  logSoftmax,
  maximum,
  minimum,
  mul,
  notEqual,
  oneHot,
  pow,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  relu,
  scatterAdd,
  sign,
  softmax,
  squeeze,
  stack,
  type Tensor,
  unsqueeze,
  where,
} from "../../src/tensor/index.ts";
import { evaluate } from "./evaluate.ts";

interface Golden {
  readonly shape: number[];
  readonly data: number[];
}

interface GoldenCase {
  readonly inputs: readonly (Golden & { readonly integers: boolean })[];
  readonly output: Golden;
  readonly factors?: Golden;
  readonly gradients?: readonly Golden[];
}

const { cases }: { cases: Readonly<Record<string, GoldenCase>> } = JSON.parse(
  await readFile(new URL("../golden/functions.json", import.meta.url), "utf8"),
);

type Build = (a: Tensor, b: Tensor, c: Tensor) => Tensor;

const truth = (of: typeof less): Build => {
  return (a, b) => cast(of(a, b), "int32");
};

const builds: Readonly<Record<string, Build>> = {
  maximum: (a, b) => maximum(a, b),
  minimum: (a, b) => minimum(a, b),
  clip: (x) => clip(x, { min: -0.5, max: 1 }),
  "clip from below": (x) => clip(x, { min: -0.5 }),
  "clip from above": (x) => clip(x, { max: 1 }),
  abs,
  relu,
  sign,
  floor,
  "pow, 3": (x) => pow(x, 3),
  "pow, 0.5": (x) => pow(x, 0.5),
  "pow, 0": (x) => pow(x, 0),
  "pow, exponents": (a, b) => pow(a, b),
  where: (a, b) => where(greater(a, b), mul(a, 2), b),
  equal: truth(equal),
  notEqual: truth(notEqual),
  less: truth(less),
  lessEqual: truth(lessEqual),
  greater: truth(greater),
  greaterEqual: truth(greaterEqual),
  reduceMean: (x) => reduceMean(x),
  "reduceMean over axes": (x) => reduceMean(x, { axes: [0, -1], keepDims: true }),
  "reduceMax over axes": (x) => reduceMax(x, { axes: [0, 2] }),
  reduceMax: (x) => reduceMax(x),
  "reduceMin over an axis": (x) => reduceMin(x, { axes: [1], keepDims: true }),
  "reduceProd over an axis": (x) => reduceProd(x, { axes: [-1] }),
  reduceProd: (x) => reduceProd(x),
  argmax: (x) => argmax(x),
  "argmax over the first axis": (x) => argmax(x, { axis: 0, keepDims: true }),
  "argmin over an axis": (x) => argmin(x, { axis: -2 }),
  cumsum: (x) => cumsum(x, 1),
  "cumsum, reverse": (x) => cumsum(x, -1, { reverse: true }),
  "cumsum, exclusive": (x) => cumsum(x, 0, { exclusive: true }),
  "gather along an axis": (x, ids) => gather(x, ids, 1),
  gatherElements: (x, indices) => gatherElements(x, indices, -1),
  "gatherElements along the first axis": (x, indices) => gatherElements(x, indices, 0),
  scatterAdd: (x, indices, updates) => scatterAdd(x, 1, indices, updates),
  "scatterAdd along the first axis": (x, indices, updates) => scatterAdd(x, 0, indices, updates),
  oneHot: (ids) => oneHot(ids, 5),
  "softmax over an axis": (x) => softmax(x, 1),
  logSoftmax,
  stack: (a, b) => stack([a, b], -1),
  "squeeze and unsqueeze": (x) => unsqueeze(squeeze(x, [1]), -1),
};

test("every case has its operator, and every operator its case", () => {
  expect(Object.keys(builds).sort()).toEqual(Object.keys(cases).sort());
});

describe.each(["float32", "float64"] as const)("in %s", async (dtype) => {
  const outputs: Record<string, Tensor> = {};
  const values: Record<string, number[]> = {};
  for (const [name, { inputs, factors, gradients = [] }] of Object.entries(cases)) {
    const tensors = inputs.map(({ shape, data, integers }, at) => {
      values[`${name}:${at}`] = data;
      return input(`${name}:${at}`, integers ? "int32" : dtype, shape);
    });
    const output = (builds[name] as Build)(...(tensors as [Tensor, Tensor, Tensor]));
    outputs[name] = output;
    if (factors === undefined) continue;
    const sources = tensors.filter((tensor) => tensor.dtype === dtype);
    const found = grad(reduceSum(mul(output, constant(factors.data, dtype, factors.shape))), sources);
    for (const at of gradients.keys()) outputs[`${name}/${at}`] = found[at] as Tensor;
  }
  const results = await evaluate(outputs, values);

  const close = (name: string, { shape, data }: Golden) => {
    expect(outputs[name]?.shape).toEqual(shape);
    expect(results[name]).toHaveLength(data.length);
    for (const [at, value] of data.entries())
      expect(
        Math.abs((results[name]?.[at] ?? Number.NaN) - value),
        `${name}[${at}]: ${results[name]?.[at]} against ${value}`,
      ).toBeLessThan((dtype === "float32" ? 3e-6 : 1e-11) * (1 + Math.abs(value)));
  };
  for (const [name, { output, gradients = [] }] of Object.entries(cases))
    test(name, () => {
      close(name, output);
      for (const [at, gradient] of gradients.entries()) close(`${name}/${at}`, gradient);
    });
});
