import { TensorError } from "./errors.ts";

/**
 * The length of one axis: a number, or a product of named symbols in canonical form (`"batch_size"`,
 * `"2*batch_size*sequence_length"`). Two dimensions are equal exactly when they are `===`.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** `(2, 3, batch_size)`, as error messages show it. */
export function formatShape(shape: Shape): string {
  return `(${shape.join(", ")})`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** The symbols that a dimension multiplies and the number in front of them. */
export function dimFactors(dim: Dim): { readonly coefficient: number; readonly symbols: string[] } {
  if (typeof dim === "number") return { coefficient: dim, symbols: [] };
  const symbols: string[] = [];
  let coefficient = 1;
  for (const factor of dim.split("*")) {
    if (/^\d+$/.test(factor)) coefficient *= Number(factor);
    else symbols.push(factor);
  }
  return { coefficient, symbols };
}

function dimOf(coefficient: number, symbols: readonly string[]): Dim {
  if (symbols.length === 0 || coefficient === 0) return coefficient;
  const product = [...symbols].sort().join("*");
  return coefficient === 1 ? product : `${coefficient}*${product}`;
}

/** The number of elements of a shape; symbolic when any axis is. */
export function sizeOf(shape: Shape): Dim {
  let coefficient = 1;
  const symbols: string[] = [];
  for (const dim of shape) {
    const part = dimFactors(dim);
    coefficient *= part.coefficient;
    symbols.push(...part.symbols);
  }
  return dimOf(coefficient, symbols);
}

/** `total / part`, or `undefined` when it does not come out even. */
export function divideDims(total: Dim, part: Dim): Dim | undefined {
  const above = dimFactors(total);
  const below = dimFactors(part);
  if (below.coefficient === 0 || above.coefficient % below.coefficient !== 0) return undefined;
  const rest = [...above.symbols];
  for (const symbol of below.symbols) {
    const at = rest.indexOf(symbol);
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return dimOf(above.coefficient / below.coefficient, rest);
}

/** A shape whose axes are all numbers, or an error that says which axis is still free. */
export function staticShape(shape: Shape, what: string): number[] {
  return shape.map((dim) => {
    if (typeof dim === "number") return dim;
    throw new TensorError(
      "SYMBOLIC_DIMENSION",
      `${what} needs a shape of numbers, but ${formatShape(shape)} has the free dimension "${dim}".`,
    );
  });
}

/** Shape of two operands under NumPy's broadcasting rules; throws naming `operator` and both shapes. */
export function broadcastShapes(operator: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const shape: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const x = a[a.length - rank + axis] ?? 1;
    const y = b[b.length - rank + axis] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new TensorError(
        "SHAPE_MISMATCH",
        `${operator}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast (${x} against ${y}).`,
      );
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

/** An axis counted from the front; negative ones count from the back. */
export function normalizeAxis(operator: string, axis: number, rank: number): number {
  const index = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(index) || index < 0 || index >= rank)
    throw new TensorError(
      "AXIS_OUT_OF_RANGE",
      `${operator}: axis ${axis} does not exist in a tensor of rank ${rank}.`,
    );
  return index;
}

/** Axes counted from the front, all of them when left out; each may be named once. */
export function normalizeAxes(operator: string, axes: readonly number[] | undefined, rank: number): number[] {
  const found = (axes ?? [...Array(rank).keys()]).map((axis) => normalizeAxis(operator, axis, rank));
  if (new Set(found).size !== found.length)
    throw new TensorError(
      "DUPLICATE_AXIS",
      `${operator}: the axes [${axes?.join(", ")}] name one axis twice.`,
    );
  return found;
}
