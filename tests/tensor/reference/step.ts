import type { DType, Tensor } from "../../../src/tensor/index.ts";
import type { Grid } from "./array.ts";
import { elementwise } from "./operators.ts";
import type { Tape } from "./scalar.ts";

/** One value, in the graph and in the reference. */
export interface Node {
  readonly tensor: Tensor;
  readonly grid: Grid;
  /**
   * How many times exact numbers were added or multiplied on the way here, or Infinity: only values without rounding may be
   * compared with each other, since equal ones must be equal in both.
   */
  readonly depth: number;
}

/** What a step may read: the values so far, and its choices. */
export interface StepContext {
  readonly tape: Tape;
  readonly dtype: DType;
  readonly nodes: readonly Node[];
  /** A whole number below `count`. */
  choose(count: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

/** Applies an operator in both worlds, or gives nothing where no value fits it. */
export type Step = (context: StepContext) => Node | readonly Node[] | undefined;

/** Both worlds' element-by-element operator. */
export function pointwise(
  nodes: readonly Node[],
  of: (...tensors: Tensor[]) => Tensor,
  rule: Parameters<typeof elementwise>[1],
  depth: number,
): Node {
  return {
    tensor: of(...nodes.map(({ tensor }) => tensor)),
    grid: elementwise(
      nodes.map(({ grid }) => grid),
      rule,
    ),
    depth,
  };
}
