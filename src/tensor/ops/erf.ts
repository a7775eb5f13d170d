import type { DType } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import type { Lowering, Value } from "../lowering.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { elementwise } from "./reshape.ts";
import { exp } from "./unary.ts";

const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);
/** Beyond it erf is ±1 in float64. */
const END = 6;
/** At {@link END}, the terms after these add less than 10⁻¹⁶ of the sum. */
const TERMS = 130;

const apply = defineOperator<undefined>({
  name: "erf",
  infer: ([x]) => {
    const { dtype, shape } = x as Tensor;
    if (!isFloat(dtype))
      throw new TensorError("DTYPE_MISMATCH", `erf: needs a real dtype; got ${describe(x as Tensor)}.`);
    return [{ dtype, shape }];
  },
  gradient: ({ inputs: [x], outputGradients: [dy] }) => [
    dy && mul(dy, mul(exp(mul(mul(x as Tensor, x as Tensor), -1)), TWO_OVER_ROOT_PI)),
  ],
  lower: (lowering, [x], { inputs: [tensor] }) => [lowerErf(lowering, x as Value, (tensor as Tensor).dtype)],
});

/** ONNX Runtime's kernel knows float32 only; in float64, which checks gradients, a series is written out. */
export function lowerErf(lowering: Lowering, x: Value, dtype: DType): Value {
  if (dtype !== "float64") return lowering.node("Erf", [x])[0];
  // erf x = 2/√π · e^(−x²) · x · (1 + 2x²/3 · (1 + 2x²/5 · (1 + …))) (Abramowitz and Stegun 7.1.6): no term is negative.
  const real = (value: number) => lowering.constant([value], "float64", []);
  const node = (type: string, ...inputs: Value[]) => lowering.node(type, inputs)[0];
  const bounded = node("Min", node("Max", x, real(-END)), real(END));
  const square = node("Mul", bounded, bounded);
  let series = real(1);
  for (let term = TERMS; term >= 1; term--)
    series = node("Add", node("Mul", node("Mul", square, real(2 / (2 * term + 1))), series), real(1));
  const factor = node("Mul", node("Exp", node("Neg", square)), real(TWO_OVER_ROOT_PI));
  return node("Mul", node("Mul", factor, bounded), series);
}

/** The error function, 2/√π · ∫₀ˣ e^(−t²) dt. */
export function erf(x: Tensor): Tensor {
  return elementwise([x], (y) => apply([y], undefined)[0]);
}
