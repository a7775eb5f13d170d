import { TensorError } from "../errors.ts";
import { normalizeAxes } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { div, mul } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { equal } from "./compare.ts";
import { type ReduceAttributes, type ReduceOptions, reducedShape, reduceSum } from "./reduce.ts";
import { reshape } from "./reshape.ts";

function extreme(name: string, onnx: string): (x: Tensor, options?: ReduceOptions) => Tensor {
  const apply = defineOperator<ReduceAttributes>({
    name,
    infer: ([x], attributes) => {
      const { dtype, shape } = x as Tensor;
      if (dtype === "bool")
        throw new TensorError(
          "DTYPE_MISMATCH",
          `${name}: truth values have no order; got ${describe(x as Tensor)}.`,
        );
      if (attributes.axes.some((axis) => shape[axis] === 0))
        throw new TensorError(
          "EMPTY_AXIS",
          `${name}: there is none of no elements, in ${describe(x as Tensor)}.`,
        );
      return [{ dtype, shape: reducedShape(shape, attributes) }];
    },
    gradient: ({ inputs: [x], outputs: [y], attributes: { axes }, outputGradients: [dy] }) => {
      if (dy === undefined) return [];
      const tensor = x as Tensor;
      const kept = reducedShape(tensor.shape, { axes, keepDims: true });
      const isExtreme = cast(equal(tensor, reshape(y as Tensor, kept)), tensor.dtype);
      const ties = reduceSum(isExtreme, { axes, keepDims: true });
      return [mul(isExtreme, div(reshape(dy, kept), ties))];
    },
    lower: (lowering, [x], { attributes: { axes, keepDims } }) =>
      lowering.node(onnx, [x, lowering.constant([...axes], "int64", [axes.length])], {
        attributes: { keepdims: { int: keepDims ? 1 : 0 } },
      }),
  });
  return (x, options = {}) => {
    const axes = normalizeAxes(name, options.axes, x.rank);
    // ONNX takes a list without axes for all of them.
    return axes.length === 0 ? x : apply([x], { axes, keepDims: options.keepDims ?? false })[0];
  };
}

/** Largest element over `axes` (all of them when left out). Equal ones share the gradient, as in PyTorch's `amax`. */
export const reduceMax = extreme("reduceMax", "ReduceMax");

/** Smallest element over `axes` (all of them when left out). Equal ones share the gradient, as in PyTorch's `amin`. */
export const reduceMin = extreme("reduceMin", "ReduceMin");
