import { expect, test } from "vitest";
import { dropout, evaluationContext, trainingContext } from "../../src/nn/index.ts";
import { dropoutMask, input, mix32, scalar, type Tensor } from "../../src/tensor/index.ts";
import { evaluate } from "../tensor/evaluate.ts";

const key = (seed: number, step: number): [Tensor, Tensor] => [
  scalar(mix32(seed, step, 0) | 0, "int32"),
  scalar(mix32(seed, step, 1) | 0, "int32"),
];

async function mask(
  seed: number,
  step: number,
  site: number,
  probability = 0.3,
  shape = [64, 256],
): Promise<number[]> {
  return (await evaluate({ mask: dropoutMask(shape, probability, key(seed, step), site) }, {}))
    .mask as number[];
}

/** The hash that the graph computes, written a second time with JavaScript's integers. */
function reference(
  seed: number,
  step: number,
  site: number,
  row: number,
  column: number,
  probability: number,
): number {
  let h = (Math.imul(row + 1, 0x9e3779b9) + Math.imul(site + 1, 0x85ebca6b)) ^ mix32(seed, step, 0);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = h ^ (h >>> 16) ^ mix32(seed, step, 1);
  h = (h + Math.imul(column + 1, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  h ^= h >>> 15;
  return h < Math.round(probability * 2 ** 32) - 2 ** 31 ? 0 : 1 / (1 - probability);
}

test("the mask is a function of seed, step, site and place alone, the same on every machine", async () => {
  const values = await mask(7, 3, 2);
  for (let row = 0; row < 64; row += 7)
    for (let column = 0; column < 256; column += 11)
      expect(values[row * 256 + column]).toBeCloseTo(reference(7, 3, 2, row, column, 0.3), 6);
  expect(await mask(7, 3, 2)).toEqual(values);
});

test("another seed, step or site drops other places", async () => {
  const base = await mask(1, 1, 0);
  for (const other of [await mask(2, 1, 0), await mask(1, 2, 0), await mask(1, 1, 1)]) {
    const same = other.filter((value, place) => value === base[place]).length / base.length;
    // Independent masks agree with probability 0.3² + 0.7² = 0.58.
    expect(same).toBeGreaterThan(0.55);
    expect(same).toBeLessThan(0.61);
  }
});

test("each row and column drops its share, and the mean stays 1", async () => {
  const values = await mask(5, 9, 4, 0.25, [256, 256]);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean).toBeCloseTo(1, 1.5);
  for (let at = 0; at < 256; at++) {
    const row = values.slice(at * 256, (at + 1) * 256).filter((value) => value === 0).length;
    const column = values.filter((value, place) => place % 256 === at && value === 0).length;
    // 64 of 256, standard deviation 6.9: six of them.
    for (const dropped of [row, column]) expect(Math.abs(dropped - 64)).toBeLessThan(42);
  }
});

test("evaluation drops nothing, and neither does probability 0", () => {
  const x = input("x", "float32", [2, 3]);
  expect(dropout(x, 0.5, evaluationContext())).toBe(x);
  expect(dropout(x, 0, trainingContext(key(1, 1)))).toBe(x);
});

test("every dropout of a forward pass has a site of its own, the same in every trace", async () => {
  const ones = input("x", "float32", [8, 64]);
  const trace = () => {
    const context = trainingContext(key(1, 1));
    return { a: dropout(ones, 0.5, context), b: dropout(ones, 0.5, context) };
  };
  const values = { x: new Float32Array(512).fill(1) };
  const first = await evaluate(trace(), values);
  expect(first.a).not.toEqual(first.b);
  expect(await evaluate(trace(), values)).toEqual(first);
});
