import { isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import type { Value } from "../lowering.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { erf, lowerErf } from "./erf.ts";
import { elementwise } from "./reshape.ts";
import { exp } from "./unary.ts";

const apply = defineOperator<undefined>({
  name: "geluExact",
  infer: ([x]) => {
    const { dtype, shape } = x as Tensor;
    if (!isFloat(dtype))
      throw new TensorError("DTYPE_MISMATCH", `geluExact: needs a real dtype; got ${describe(x as Tensor)}.`);
    return [{ dtype, shape }];
  },
  gradient: ({ inputs: [tensor], outputGradients: [dy] }) => {
    if (dy === undefined) return [];
    // d(x·Φ) = Φ + x·φ with φ(x) = e^(−x²/2)/√(2π)
    const x = tensor as Tensor;
    const cumulative = add(mul(erf(mul(x, Math.SQRT1_2)), 0.5), 0.5);
    const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [mul(dy, add(cumulative, mul(x, density)))];
  },
  lower: (lowering, inputs, { inputs: [tensor] }) => {
    const { dtype } = tensor as Tensor;
    if (dtype === "float32")
      return lowering.node("Gelu", inputs, { attributes: { approximate: { string: "none" } } });
    const [x] = inputs as [Value];
    const real = (value: number) => lowering.constant([value], dtype, []);
    const node = (type: string, a: Value, b: Value) => lowering.node(type, [a, b])[0];
    const twice = node("Add", lowerErf(lowering, node("Mul", x, real(Math.SQRT1_2)), dtype), real(1));
    return [node("Mul", node("Mul", x, real(0.5)), twice)];
  },
});

/** GELU as it is defined (Hendrycks & Gimpel 2016), BERT's `gelu`: x·Φ(x) = ½x(1 + erf(x/√2)). {@link gelu} approximates it. */
export function geluExact(x: Tensor): Tensor {
  return elementwise([x], (y) => apply([y], undefined)[0]);
}
