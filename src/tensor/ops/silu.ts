import { isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import { CONTRIB } from "../lowering.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { elementwise } from "./reshape.ts";
import { sigmoid } from "./unary.ts";

const apply = defineOperator<undefined>({
  name: "silu",
  infer: ([x]) => {
    const { dtype, shape } = x as Tensor;
    if (!isFloat(dtype))
      throw new TensorError("DTYPE_MISMATCH", `silu: needs a real dtype; got ${describe(x as Tensor)}.`);
    return [{ dtype, shape }];
  },
  gradient: ({ inputs: [x], outputs: [y], outputGradients: [dy] }) => {
    if (dy === undefined) return [];
    // d(x·σ) = σ + x·σ·(1 − σ) = σ + y·(1 − σ)
    const s = sigmoid(x as Tensor);
    return [mul(dy, add(s, mul(y as Tensor, sub(1, s))))];
  },
  lower: (lowering, inputs, { inputs: [tensor] }) => {
    const { dtype } = tensor as Tensor;
    if (lowering.fused(dtype))
      // x·σ(αx)
      return lowering.node("QuickGelu", inputs, { domain: CONTRIB, attributes: { alpha: { float: 1 } } });
    // Not Mul and Sigmoid: ONNX Runtime turns those into its QuickGelu in float64 too, for which it has no kernel.
    const [power] = lowering.node("Exp", [lowering.node("Neg", inputs)[0]]);
    const [divisor] = lowering.node("Add", [power, lowering.constant([1], dtype, [])]);
    return lowering.node("Div", [inputs[0], divisor]);
  },
});

/** SiLU, x·σ(x), also called Swish (Hendrycks & Gimpel 2016; Ramachandran et al. 2017). */
export function silu(x: Tensor): Tensor {
  return elementwise([x], (y) => apply([y], undefined)[0]);
}
