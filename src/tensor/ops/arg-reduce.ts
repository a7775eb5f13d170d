import { TensorError } from "../errors.ts";
import { normalizeAxis } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { type ReduceAttributes, reducedShape } from "./reduce.ts";

export interface ArgReduceOptions {
  /** Default: the last. */
  readonly axis?: number;
  /** Whether the axis stays, with length 1. Default false. */
  readonly keepDims?: boolean;
}

function argReduce(name: string, onnx: string): (x: Tensor, options?: ArgReduceOptions) => Tensor {
  const apply = defineOperator<ReduceAttributes>({
    name,
    infer: ([x], { axes, keepDims }) => {
      const { shape } = x as Tensor;
      if (axes.some((axis) => shape[axis] === 0))
        throw new TensorError(
          "EMPTY_AXIS",
          `${name}: axis ${axes[0]} of ${describe(x as Tensor)} has no element to point at.`,
        );
      return [{ dtype: "int32", shape: reducedShape(shape, { axes, keepDims }) }];
    },
    lower: (lowering, inputs, { attributes: { axes, keepDims } }) => {
      const [index] = lowering.node(onnx, inputs, {
        attributes: { axis: { int: axes[0] ?? 0 }, keepdims: { int: keepDims ? 1 : 0 } },
      });
      return lowering.node("Cast", [index], { attributes: { to: { dtype: "int32" } } });
    },
  });
  return (x, { axis = -1, keepDims = false } = {}) =>
    apply([x], { axes: [normalizeAxis(name, axis, x.rank)], keepDims })[0];
}

/** Index of the largest element along an axis (the first one on ties): int32, without that axis. Not differentiable. */
export const argmax = argReduce("argmax", "ArgMax");

/** Index of the smallest element along an axis (the first one on ties): int32, without that axis. Not differentiable. */
export const argmin = argReduce("argmin", "ArgMin");
