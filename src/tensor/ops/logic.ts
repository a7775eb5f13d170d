import { type DType, isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import { defineOperator, describe, scalar, type Tensor } from "../tensor.ts";

const applyCast = defineOperator<{ readonly dtype: DType }>({
  name: "cast",
  infer: ([x], { dtype }) => [{ dtype, shape: (x as Tensor).shape }],
  gradient: ({ inputs: [x], attributes: { dtype }, outputGradients: [dy] }) => {
    const from = (x as Tensor).dtype;
    if (!isFloat(from) || !isFloat(dtype))
      throw new TensorError("NOT_DIFFERENTIABLE", `cast: there is no gradient between ${from} and ${dtype}.`);
    return [dy && cast(dy, from)];
  },
  lower: (lowering, [x], { attributes: { dtype } }) =>
    lowering.node("Cast", [x], { attributes: { to: { dtype } } }),
});

/** The same values in another dtype. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : applyCast([x], { dtype })[0];
}

const applyEqual = defineOperator<undefined>({
  name: "equal",
  infer: ([x]) => [{ dtype: "bool", shape: (x as Tensor).shape }],
  lower: (lowering, inputs) => lowering.node("Equal", inputs),
});

/** Element by element whether `x` equals a number: bool, of the shape of `x`. */
export function equal(x: Tensor, value: number): Tensor {
  return applyEqual([x, scalar(value, x.dtype)], undefined)[0];
}

const applyWhere = defineOperator<undefined>({
  name: "where",
  infer: (inputs) => {
    const [condition, a, b] = inputs as [Tensor, Tensor, Tensor];
    if (
      condition.dtype !== "bool" ||
      a.dtype !== b.dtype ||
      a.rank !== 0 ||
      (b.rank !== 0 && b.rank !== condition.rank)
    )
      throw new TensorError("SHAPE_MISMATCH", `where: ${inputs.map(describe).join(", ")} do not fit.`);
    return [{ dtype: a.dtype, shape: condition.shape }];
  },
  lower: (lowering, inputs) => lowering.node("Where", inputs),
});

/** `value` where the condition holds, else the element of `otherwise` (same shape). Not differentiable. */
export function replaceWhere(condition: Tensor, value: number, otherwise: Tensor): Tensor {
  return applyWhere([condition, scalar(value, otherwise.dtype), otherwise], undefined)[0];
}

const applyArgmax = defineOperator<undefined>({
  name: "argmax",
  infer: ([x]) => [{ dtype: "int32", shape: (x as Tensor).shape.slice(0, -1) }],
  lower: (lowering, inputs) => {
    const [index] = lowering.node("ArgMax", inputs, {
      attributes: { axis: { int: -1 }, keepdims: { int: 0 } },
    });
    return lowering.node("Cast", [index], { attributes: { to: { dtype: "int32" } } });
  },
});

/** Index of the largest element along the last axis (the first one on ties): int32. */
export function argmax(x: Tensor): Tensor {
  return applyArgmax([x], undefined)[0];
}
