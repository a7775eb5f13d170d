import { TensorError } from "../errors.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";

const apply = defineOperator<{ readonly places: number }>({
  name: "shift",
  infer: ([tensor], { places }) => {
    const x = tensor as Tensor;
    if (x.rank !== 2 || !Number.isInteger(places) || places < 0)
      throw new TensorError(
        "SHAPE_MISMATCH",
        `shift: needs a matrix (B, T) and a number of places of 0 or more; got ${describe(x)} and ${places}.`,
      );
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  lower: (lowering, [x], { inputs: [tensor], attributes: { places } }) => {
    const integers = (...values: number[]) => lowering.constant(values, "int64", [values.length]);
    const [padded] = lowering.node("Pad", [x, integers(0, places, 0, 0)]);
    return lowering.node("Slice", [
      padded,
      integers(0),
      lowering.dim((tensor as Tensor).dim(1)),
      integers(1),
    ]);
  },
});

/** Each row of x (B, T) moved by `places`: y[t] = x[t − places], and 0 where there is none. T may be symbolic. Not differentiable. */
export function shift(x: Tensor, places: number): Tensor {
  return apply([x], { places })[0];
}
