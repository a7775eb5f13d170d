import { type DType, isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import { defineOperator, type Tensor } from "../tensor.ts";

const apply = defineOperator<{ readonly dtype: DType }>({
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

/** The same values in another dtype; truth becomes 1, lies 0. Differentiable between float32 and float64. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : apply([x], { dtype })[0];
}
