import {
  constant,
  type DType,
  grad,
  input,
  inScope,
  mul,
  add as plus,
  reduceSum,
  type Tensor,
} from "../../../src/tensor/index.ts";
import { size } from "./array.ts";
import { Tape } from "./scalar.ts";
import type { Node } from "./step.ts";
import { steps } from "./steps.ts";

/** A random graph as fast-check draws and shrinks it: shapes of its inputs, and numbers from which each step takes choices. */
export interface GraphSpec {
  readonly shapes: readonly (readonly number[])[];
  readonly seed: number;
  readonly steps: readonly (readonly number[])[];
}

/** Numbers beyond are left out: they would drown the others in rounding errors. */
const LARGEST = 1e3;
const MOST_ELEMENTS = 120;

export interface BuiltGraph {
  /** Every operator that was applied, to read a failure. */
  readonly text: readonly string[];
  readonly inputs: Readonly<Record<string, Float64Array>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly expected: Readonly<Record<string, readonly number[]>>;
  /** The largest number that occurred: rounding errors are proportional to it. */
  readonly scale: number;
}

/** Builds a graph and computes what it and its gradients must give. Names start with `name`. */
export function buildGraph(
  { shapes, seed, steps: wanted }: GraphSpec,
  name: string,
  dtype: DType,
): BuiltGraph {
  return inScope(name, () => {
    const tape = new Tape();
    const text: string[] = [];
    const inputs: Record<string, Float64Array> = {};
    let state = seed;
    const quarter = () => {
      state = (Math.imul(1664525, state) + 1013904223) >>> 0;
      return ((state >>> 8) % 17) / 4 - 2;
    };
    const nodes: Node[] = shapes.map((shape, at) => {
      const values = Float64Array.from({ length: size(shape) }, quarter);
      inputs[`${name}x${at}`] = values;
      text.push(`x${at} (${shape})`);
      return {
        tensor: input(`${name}x${at}`, dtype, shape),
        grid: { shape, cells: Array.from(values, (value) => tape.make(value)) },
        depth: 0,
      };
    });
    const leaves = [...nodes];
    for (const choices of wanted) {
      let taken = 0;
      const choose = (count: number) => (choices[1 + (taken++ % (choices.length - 1))] as number) % count;
      const pick = <Item>(items: readonly Item[]): Item => items[choose(items.length)] as Item;
      const names = Object.keys(steps);
      const operator = names[(choices[0] as number) % names.length] as string;
      const result = steps[operator]?.({ tape, dtype, nodes, choose, pick });
      for (const node of result === undefined ? [] : ([result].flat() as Node[])) {
        const { grid, tensor } = node;
        const values = grid.cells.map(({ value }) => value);
        if (String(grid.shape) !== String(tensor.shape))
          throw new Error(
            `${operator}: shape (${tensor.shape}) against (${grid.shape}) after ${text.join("; ")}`,
          );
        if (values.length > MOST_ELEMENTS || !values.every((value) => Math.abs(value) < LARGEST)) continue;
        nodes.push(node);
        text.push(`${operator} (${grid.shape})`);
      }
    }

    // Several outputs: the last values, and the loss adds up all of them with weights of their own.
    const ends = nodes.slice(-3);
    const weighted = ends.map((end) => {
      const weights = end.grid.cells.map(quarter);
      return {
        tensor: reduceSum(mul(end.tensor, constant(weights, dtype, end.tensor.shape))),
        cell: tape.sum(end.grid.cells.map((cell, at) => tape.scaled(cell, weights[at] as number))),
      };
    });
    const loss = weighted.map(({ tensor }) => tensor).reduce((a, b) => plus(a, b));
    tape.backward(tape.sum(weighted.map(({ cell }) => cell)));
    const gradients = grad(
      loss,
      leaves.map(({ tensor }) => tensor),
    );
    const outputs: Record<string, Tensor> = {};
    const expected: Record<string, readonly number[]> = {};
    for (const [at, { tensor, grid }] of ends.entries()) {
      outputs[`${name}y${at}`] = tensor;
      expected[`${name}y${at}`] = grid.cells.map(({ value }) => value);
    }
    for (const [at, { grid }] of leaves.entries()) {
      const gradient = gradients[at];
      const wantedGradient = grid.cells.map((cell) => cell.gradient);
      if (gradient === undefined) {
        if (wantedGradient.some((value) => value !== 0))
          throw new Error(`no gradient for x${at} of ${text.join("; ")}`);
        continue;
      }
      outputs[`${name}d${at}`] = gradient;
      expected[`${name}d${at}`] = wantedGradient;
    }
    return { text, inputs, outputs, expected, scale: tape.scale() };
  });
}
