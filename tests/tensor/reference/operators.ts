/** Operators as their formulas say, in loops over indices; shares no code with `src`. */
import { at, build, type Grid, indices, line, reduce, spread } from "./array.ts";
import type { Scalar, Tape } from "./scalar.ts";

export function elementwise(grids: readonly Grid[], rule: (...cells: Scalar[]) => Scalar): Grid {
  const shape = spread(...grids.map((grid) => grid.shape));
  if (shape === undefined) throw new Error("grids that do not spread over each other");
  return build(shape, (index) => rule(...grids.map((grid) => at(grid, index))));
}

type Curve = readonly [value: (x: number) => number, slope: (x: number) => number];

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const bell = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** Taylor's series; for |x| ≤ 3 its terms stay small enough for twelve digits. */
function errorFunction(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const cumulative = (x: number) => 0.5 * (1 + errorFunction(x / Math.SQRT2));
const inner = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const innerSlope = (x: number) => Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);

export const curves = {
  exp: [Math.exp, Math.exp],
  log: [Math.log, (x) => 1 / x],
  sqrt: [Math.sqrt, (x) => 0.5 / Math.sqrt(x)],
  sin: [Math.sin, Math.cos],
  cos: [Math.cos, (x) => -Math.sin(x)],
  tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
  sigmoid: [logistic, (x) => logistic(x) * (1 - logistic(x))],
  softplus: [(x) => Math.log1p(Math.exp(x)), logistic],
  silu: [(x) => x * logistic(x), (x) => logistic(x) * (1 + x * (1 - logistic(x)))],
  erf: [errorFunction, (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)],
  geluExact: [(x) => x * cumulative(x), (x) => cumulative(x) + x * bell(x)],
  gelu: [
    (x) => 0.5 * x * (1 + Math.tanh(inner(x))),
    (x) => 0.5 * (1 + Math.tanh(inner(x))) + 0.5 * x * (1 - Math.tanh(inner(x)) ** 2) * innerSlope(x),
  ],
  abs: [Math.abs, Math.sign],
  relu: [(x) => Math.max(x, 0), (x) => (x > 0 ? 1 : 0)],
  clip: [(x) => Math.min(1, Math.max(-0.5, x)), (x) => (x > -0.5 && x < 1 ? 1 : 0)],
} as const satisfies Record<string, Curve>;

export function logSumExp(tape: Tape, cells: readonly Scalar[]): Scalar {
  const largest = Math.max(...cells.map(({ value }) => value));
  const sum = cells.reduce((total, { value }) => total + Math.exp(value - largest), 0);
  return tape.make(
    largest + Math.log(sum),
    cells,
    cells.map(({ value }) => Math.exp(value - largest) / sum),
  );
}

export function softmax(tape: Tape, x: Grid, axis: number): Grid {
  return build(x.shape, (index) => {
    const total = logSumExp(tape, line(x, index, axis));
    return tape.map(tape.sub(at(x, index), total), Math.exp, Math.exp);
  });
}

export function cumsum(tape: Tape, x: Grid, axis: number, exclusive: boolean, reverse: boolean): Grid {
  return build(x.shape, (index) => {
    const here = index[axis] as number;
    const part = line(x, index, axis).filter((_cell, place) => {
      if (place === here) return !exclusive;
      return reverse ? place > here : place < here;
    });
    return tape.sum(part);
  });
}

export function transpose(x: Grid, permutation: readonly number[]): Grid {
  const shape = permutation.map((axis) => x.shape[axis] as number);
  return build(shape, (index) =>
    at(
      x,
      x.shape.map((_length, axis) => index[permutation.indexOf(axis)] as number),
    ),
  );
}

export function slice(x: Grid, axis: number, start: number, length: number): Grid {
  return build(x.shape.with(axis, length), (index) =>
    at(x, index.with(axis, start + (index[axis] as number))),
  );
}

export function concat(grids: readonly Grid[], axis: number): Grid {
  const [first] = grids as [Grid];
  const length = grids.reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
  return build(first.shape.with(axis, length), (index) => {
    let place = index[axis] as number;
    for (const grid of grids) {
      if (place < (grid.shape[axis] as number)) return at(grid, index.with(axis, place));
      place -= grid.shape[axis] as number;
    }
    throw new Error("an index beyond all parts");
  });
}

/** Parts along `axis`; `ids` is (n) here. */
export function gather(x: Grid, ids: readonly number[], axis: number): Grid {
  return build(x.shape.with(axis, ids.length), (index) =>
    at(x, index.with(axis, ids[index[axis] as number] as number)),
  );
}

/** `chosen` is row-major of `shape`, which is that of `x` but for `axis`. */
export function gatherElements(
  x: Grid,
  chosen: readonly number[],
  shape: readonly number[],
  axis: number,
): Grid {
  let place = 0;
  return build(shape, (index) => at(x, index.with(axis, chosen[place++] as number)));
}

/** Places of the first largest numbers along `axis`, row-major. */
export function argmax(x: Grid, axis: number): number[] {
  return [...indices(x.shape.with(axis, 1))].map((index) => {
    const along = line(x, index, axis).map(({ value }) => value);
    return along.indexOf(Math.max(...along));
  });
}

/** `chosen` and `updates` have the shape of `x`. */
export function scatterAdd(
  tape: Tape,
  x: Grid,
  chosen: readonly number[],
  updates: Grid,
  axis: number,
): Grid {
  const cells = [...x.cells];
  let place = 0;
  const strides = x.shape.map((_length, from) => x.shape.slice(from + 1).reduce((a, b) => a * b, 1));
  build(x.shape, (index) => {
    const target = index.with(axis, chosen[place] as number);
    const flat = target.reduce((sum, along, dim) => sum + along * (strides[dim] as number), 0);
    const update = updates.cells[place++] as Scalar;
    cells[flat] = tape.add(cells[flat] as Scalar, update);
    return update;
  });
  return { shape: x.shape, cells };
}

/** a (…, N, K) times b (…, K, M), or (…, M, K) with `transposed`. */
export function matmul(tape: Tape, a: Grid, b: Grid, scale: number, transposed: boolean): Grid {
  const batch = spread(a.shape.slice(0, -2), b.shape.slice(0, -2)) as number[];
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const columns = b.shape.at(transposed ? -2 : -1) as number;
  return build([...batch, rows, columns], (index) => {
    const [lead, row, column] = [index.slice(0, -2), index.at(-2) as number, index.at(-1) as number];
    const products = Array.from({ length: inner }, (_, k) =>
      tape.mul(at(a, [...lead, row, k]), at(b, [...lead, ...(transposed ? [column, k] : [k, column])])),
    );
    return tape.scaled(tape.sum(products), scale);
  });
}

/** Over the last axis; without `bias`, the root mean square stands for mean and deviation. */
export function norm(tape: Tape, x: Grid, weight: Grid, bias: Grid | undefined, epsilon: number): Grid {
  const last = x.shape.length - 1;
  const mean = (grid: Grid) =>
    reduce(grid, [last], true, (cells) => tape.scaled(tape.sum(cells), 1 / cells.length));
  const centered = bias ? elementwise([x, mean(x)], (a, b) => tape.sub(a, b)) : x;
  const square = mean(elementwise([centered], (a) => tape.mul(a, a)));
  const deviation = elementwise([square], (a) =>
    tape.map(
      a,
      (v) => Math.sqrt(v + epsilon),
      (v) => 0.5 / Math.sqrt(v + epsilon),
    ),
  );
  const scaled = elementwise([centered, deviation, weight], (a, d, w) => tape.mul(tape.div(a, d), w));
  return bias ? elementwise([scaled, bias], (a, b) => tape.add(a, b)) : scaled;
}

/** softmax(x·xᵀ/√D)·x over the last two axes; causal: position i sees 0…i. */
export function selfAttention(tape: Tape, x: Grid, causal: boolean): Grid {
  const scores = matmul(tape, x, x, 1 / Math.sqrt(x.shape.at(-1) as number), true);
  const weights = build(scores.shape, (index) => {
    const [i, j] = [index.at(-2) as number, index.at(-1) as number];
    if (causal && j > i) return tape.make(0);
    const seen = line(scores, index, index.length - 1).filter((_cell, place) => !causal || place <= i);
    return tape.map(tape.sub(at(scores, index), logSumExp(tape, seen)), Math.exp, Math.exp);
  });
  return matmul(tape, weights, x, 1, false);
}

export function crossEntropy(tape: Tape, logits: Grid, labels: readonly number[]): Grid {
  return build([labels.length], ([row = 0]) =>
    tape.sub(logSumExp(tape, line(logits, [row, 0], 1)), at(logits, [row, labels[row] as number])),
  );
}
