import { TensorError } from "../errors.ts";
import { defineOperator, type Tensor } from "../tensor.ts";
import { greater, less } from "./compare.ts";
import { logicalAnd } from "./logical.ts";
import { elementwise } from "./reshape.ts";
import { where } from "./where.ts";

interface ClipBounds {
  readonly min?: number;
  readonly max?: number;
}

const apply = defineOperator<ClipBounds>({
  name: "clip",
  infer: ([x]) => [{ dtype: (x as Tensor).dtype, shape: (x as Tensor).shape }],
  gradient: ({ inputs: [tensor], attributes: { min, max }, outputGradients: [dy] }) => {
    if (dy === undefined) return [];
    const x = tensor as Tensor;
    const above = min === undefined ? undefined : greater(x, min);
    const below = max === undefined ? undefined : less(x, max);
    const inside = above && below ? logicalAnd(above, below) : (above ?? below);
    return [inside ? where(inside, dy, 0) : dy];
  },
  lower: (lowering, [x], { inputs, attributes: { min, max } }) => {
    const bound = (value: number | undefined) =>
      value === undefined ? undefined : lowering.constant([value], (inputs[0] as Tensor).dtype, []);
    const bounds = max === undefined ? [bound(min)] : [bound(min), bound(max)];
    return lowering.node("Clip", [x, ...bounds]);
  },
});

/**
 * `x` with what is below `min` or above `max` moved to the bound. The gradient is that of `x` between the bounds, and 0 on
 * them and outside, as in PyTorch.
 *
 * @throws TensorError when `min` is above `max`, or there is neither.
 */
export function clip(x: Tensor, bounds: ClipBounds): Tensor {
  const { min, max } = bounds;
  if ((min === undefined && max === undefined) || Number(min) > Number(max))
    throw new TensorError(
      "BAD_BOUNDS",
      `clip: needs a min, a max, or both with min ≤ max; got min ${min} and max ${max}.`,
    );
  return elementwise([x], (y) => apply([y], bounds)[0]);
}
