import { TensorError } from "../errors.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";

const apply = defineOperator<{ readonly permutation: readonly number[] }>({
  name: "transpose",
  infer: ([x], { permutation }) => {
    const tensor = x as Tensor;
    if (
      [...permutation].sort((a, b) => a - b).some((axis, index) => axis !== index) ||
      permutation.length !== tensor.rank
    )
      throw new TensorError(
        "BAD_PERMUTATION",
        `transpose: [${permutation.join(", ")}] does not permute the axes of ${describe(tensor)}.`,
      );
    return [{ dtype: tensor.dtype, shape: permutation.map((axis) => tensor.dim(axis)) }];
  },
  gradient: ({ attributes: { permutation }, outputGradients: [dy] }) => {
    const inverse = permutation.map((_axis, index) => permutation.indexOf(index));
    return [dy && transpose(dy, inverse)];
  },
  lower: (lowering, inputs, { attributes }) =>
    lowering.node("Transpose", inputs, { attributes: { perm: { ints: attributes.permutation } } }),
});

/** Axis `i` of the result is axis `permutation[i]` of `x`. */
export function transpose(x: Tensor, permutation: readonly number[]): Tensor {
  return apply([x], { permutation })[0];
}
