import type { Scalar } from "./scalar.ts";

/** Numbers of a shape, row-major. */
export interface Grid {
  readonly shape: readonly number[];
  readonly cells: readonly Scalar[];
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Every index of a shape, in row-major order. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  const count = size(shape);
  for (let at = 0; at < count; at++) {
    const index: number[] = [];
    let rest = at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] as number;
      index.unshift(rest % length);
      rest = Math.floor(rest / length);
    }
    yield index;
  }
}

/** The number at an index; axes of length 1 and missing leading ones are the same for every index. */
export function at({ shape, cells }: Grid, index: readonly number[]): Scalar {
  let place = 0;
  for (const [axis, length] of shape.entries()) {
    const along = index[index.length - shape.length + axis] as number;
    place = place * length + (length === 1 ? 0 : along);
  }
  const cell = cells[place];
  if (cell === undefined) throw new Error(`no element [${index}] in (${shape})`);
  return cell;
}

/** A grid from a rule for each index. */
export function build(shape: readonly number[], rule: (index: number[]) => Scalar): Grid {
  return { shape, cells: [...indices(shape)].map(rule) };
}

/** Shape that grids have together, or nothing when they do not fit. */
export function spread(...shapes: (readonly number[])[]): number[] | undefined {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const result: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const lengths = new Set(shapes.map((shape) => shape[shape.length - rank + axis] ?? 1));
    lengths.delete(1);
    if (lengths.size > 1) return undefined;
    result.push([...lengths][0] ?? 1);
  }
  return result;
}

/** What is at `index` when axis `axis` runs: all numbers along it. */
export function line(grid: Grid, index: readonly number[], axis: number): Scalar[] {
  return Array.from({ length: grid.shape[axis] as number }, (_, along) => at(grid, index.with(axis, along)));
}

/** A rule for all numbers that fall together when `axes` go. */
export function reduce(
  grid: Grid,
  axes: readonly number[],
  keepDims: boolean,
  rule: (cells: Scalar[]) => Scalar,
): Grid {
  const kept = grid.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  const inner = grid.shape.map((length, axis) => (axes.includes(axis) ? length : 1));
  const reduced = build(kept, (index) =>
    rule(
      [...indices(inner)].map((offset) =>
        at(
          grid,
          index.map((place, axis) => place + (offset[axis] ?? 0)),
        ),
      ),
    ),
  );
  return keepDims
    ? reduced
    : { ...reduced, shape: grid.shape.filter((_length, axis) => !axes.includes(axis)) };
}
