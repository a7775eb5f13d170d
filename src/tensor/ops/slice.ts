import { TensorError } from "../errors.ts";
import { type Dim, normalizeAxis, sameShape } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { concat } from "./concat.ts";
import { fill } from "./fill.ts";

interface SliceAttributes {
  readonly axis: number;
  readonly start: number;
  readonly length: Dim;
}

const apply = defineOperator<SliceAttributes>({
  name: "slice",
  infer: ([x], { axis, start, length }) => {
    const tensor = x as Tensor;
    const whole = tensor.dim(axis);
    if (!Number.isInteger(start) || start < 0 || (whole === length && start > 0))
      throw new TensorError(
        "SHAPE_MISMATCH",
        `slice: ${length} elements from ${start} are not in axis ${axis} of ${describe(tensor)}.`,
      );
    if (typeof whole === "number" && typeof length === "number" && start + length > whole)
      throw new TensorError(
        "SHAPE_MISMATCH",
        `slice: [${start}, ${start + length}) is outside axis ${axis} of ${describe(tensor)}.`,
      );
    return [{ dtype: tensor.dtype, shape: tensor.shape.map((dim, at) => (at === axis ? length : dim)) }];
  },
  gradient: ({ inputs, attributes: { axis, start, length }, outputGradients: [dy] }) => {
    const x = inputs[0] as Tensor;
    const whole = x.dim(axis);
    if (dy === undefined) return [];
    if (typeof whole !== "number" || typeof length !== "number")
      throw new TensorError(
        "SYMBOLIC_DIMENSION",
        `slice: the gradient needs a length of ${describe(x)} that is a number.`,
      );
    const zeros = (size: number) =>
      fill(
        0,
        x.dtype,
        x.shape.map((dim, at) => (at === axis ? size : dim)),
      );
    const parts = [
      start > 0 ? zeros(start) : undefined,
      dy,
      whole > start + length ? zeros(whole - start - length) : undefined,
    ];
    return [
      concat(
        parts.filter((part) => part !== undefined),
        axis,
      ),
    ];
  },
  lower: (lowering, [x], { attributes: { axis, start, length } }) => {
    const begin = lowering.constant([start], "int64", [1]);
    const size = lowering.dim(length);
    const end = start === 0 ? size : lowering.node("Add", [begin, size])[0];
    return lowering.node("Slice", [x, begin, end, lowering.constant([axis], "int64", [1])]);
  },
});

/** `length` elements along `axis`, from `start`. The length may be symbolic. */
export function slice(x: Tensor, axis: number, start: number, length: Dim): Tensor {
  const at = normalizeAxis("slice", axis, x.rank);
  const shape = x.shape.map((dim, index) => (index === at ? length : dim));
  return start === 0 && sameShape(shape, x.shape) ? x : apply([x], { axis: at, start, length })[0];
}
