import { type DType, isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import type { Lowering, Value } from "../lowering.ts";
import { defineOperator, describe, type GradientRequest, type Tensor } from "../tensor.ts";
import { div, mul, sub } from "./arithmetic.ts";
import { greater } from "./compare.ts";
import { elementwise } from "./reshape.ts";
import { where } from "./where.ts";

type UnaryGradient = (request: { x: Tensor; y: Tensor; dy: Tensor }) => Tensor;

function unary(
  name: string,
  onnx: string,
  rule?: UnaryGradient,
  lowerOtherwise?: (lowering: Lowering, x: Value, dtype: DType) => Value,
): (x: Tensor) => Tensor {
  const apply = defineOperator<undefined>({
    name,
    infer: ([x]) => {
      const { dtype, shape } = x as Tensor;
      if (!isFloat(dtype))
        throw new TensorError("DTYPE_MISMATCH", `${name}: needs a real dtype; got ${describe(x as Tensor)}.`);
      return [{ dtype, shape }];
    },
    ...(rule && {
      gradient: ({ inputs: [x], outputs: [y], outputGradients: [dy] }: GradientRequest<undefined>) => [
        dy && rule({ x: x as Tensor, y: y as Tensor, dy }),
      ],
    }),
    lower: (lowering, inputs, { inputs: [x] }) =>
      lowerOtherwise !== undefined && lowering.lacks(onnx)
        ? [lowerOtherwise(lowering, inputs[0] as Value, (x as Tensor).dtype)]
        : lowering.node(onnx, inputs),
  });
  return (x) => elementwise([x], (y) => apply([y], undefined)[0]);
}

/** e to the x. */
export const exp = unary("exp", "Exp", ({ y, dy }) => mul(dy, y));

/** Natural logarithm. */
export const log = unary("log", "Log", ({ x, dy }) => div(dy, x));

/** Square root. */
export const sqrt = unary("sqrt", "Sqrt", ({ y, dy }) => div(mul(dy, 0.5), y));

/** Cosine of an angle in radians. */
export const cos = unary("cos", "Cos", ({ x, dy }) => mul(dy, mul(sin(x), -1)));

/** Sine of an angle in radians. */
export const sin: (x: Tensor) => Tensor = unary("sin", "Sin", ({ x, dy }) => mul(dy, cos(x)));

/** Hyperbolic tangent. */
export const tanh = unary("tanh", "Tanh", ({ y, dy }) => mul(dy, sub(1, mul(y, y))));

/** 1 / (1 + e^−x). */
export const sigmoid = unary("sigmoid", "Sigmoid", ({ y, dy }) => mul(dy, mul(y, sub(1, y))));

/** −1, 0 or 1: which side of 0 an element lies on. Its gradient is 0. */
export const sign = unary(
  "sign",
  "Sign",
  ({ dy }) => mul(dy, 0),
  (lowering, x, dtype) => {
    const zero = lowering.constant([0], dtype, []);
    const [above, below] = ["Greater", "Less"].map(
      (type) => lowering.node("Cast", lowering.node(type, [x, zero]), { attributes: { to: { dtype } } })[0],
    );
    return lowering.node("Sub", [above, below])[0];
  },
);

/** |x|. The gradient at 0 is 0. */
export const abs = unary("abs", "Abs", ({ x, dy }) => mul(dy, sign(x)));

/** max(x, 0). The gradient at 0 is 0. */
export const relu = unary("relu", "Relu", ({ x, dy }) => where(greater(x, 0), dy, 0));

/** The largest whole number that is not above x. Not differentiable. */
export const floor = unary("floor", "Floor");
