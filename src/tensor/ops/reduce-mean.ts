import { isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import { normalizeAxes, sizeOf } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { broadcastTo, type ReduceAttributes, type ReduceOptions, reducedShape } from "./reduce.ts";
import { reshape } from "./reshape.ts";

const apply = defineOperator<ReduceAttributes>({
  name: "reduceMean",
  infer: ([x], attributes) => {
    const { dtype, shape } = x as Tensor;
    if (!isFloat(dtype))
      throw new TensorError(
        "DTYPE_MISMATCH",
        `reduceMean: needs a real dtype; got ${describe(x as Tensor)}.`,
      );
    if (attributes.axes.some((axis) => shape[axis] === 0))
      throw new TensorError(
        "EMPTY_AXIS",
        `reduceMean: there is no mean of no elements, in ${describe(x as Tensor)}.`,
      );
    return [{ dtype, shape: reducedShape(shape, attributes) }];
  },
  gradient: ({ inputs: [x], attributes: { axes }, outputGradients: [dy] }) => {
    if (dy === undefined) return [];
    const { shape } = x as Tensor;
    const count = sizeOf(shape.filter((_dim, axis) => axes.includes(axis)));
    if (typeof count !== "number")
      throw new TensorError(
        "SYMBOLIC_DIMENSION",
        `reduceMean: the gradient needs lengths that are numbers; got ${describe(x as Tensor)}.`,
      );
    return [broadcastTo(reshape(mul(dy, 1 / count), reducedShape(shape, { axes, keepDims: true })), shape)];
  },
  lower: (lowering, [x], { attributes: { axes, keepDims } }) =>
    lowering.node("ReduceMean", [x, lowering.constant([...axes], "int64", [axes.length])], {
      attributes: { keepdims: { int: keepDims ? 1 : 0 } },
    }),
});

/**
 * Mean over `axes` (all of them when left out).
 *
 * @throws TensorError for integers, and where an axis is empty.
 */
export function reduceMean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const axes = normalizeAxes("reduceMean", options.axes, x.rank);
  // ONNX takes a list without axes for all of them.
  return axes.length === 0 ? x : apply([x], { axes, keepDims: options.keepDims ?? false })[0];
}
