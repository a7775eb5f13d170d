import type { DType } from "../dtype.ts";
import type { Shape } from "../shape.ts";
import { defineOperator, type Tensor } from "../tensor.ts";

interface FillAttributes {
  readonly value: number;
  readonly dtype: DType;
  readonly shape: Shape;
}

const apply = defineOperator<FillAttributes>({
  name: "fill",
  infer: (_inputs, { dtype, shape }) => [{ dtype, shape }],
  lower: (lowering, _inputs, { attributes }) => [
    lowering.fill(attributes.value, attributes.dtype, attributes.shape),
  ],
});

/** A tensor of `shape` with every element equal to `value`. */
export function fill(value: number, dtype: DType, shape: Shape): Tensor {
  return apply([], { value, dtype, shape })[0];
}
