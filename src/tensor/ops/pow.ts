import { isFloat } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import { broadcastShapes } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { equal, greaterEqual } from "./compare.ts";
import { logicalAnd } from "./logical.ts";
import { type Operand, tensorsOf } from "./operands.ts";
import { sumTo } from "./reduce.ts";
import { log } from "./unary.ts";
import { where } from "./where.ts";

const apply = defineOperator<undefined>({
  name: "pow",
  infer: (inputs) => {
    const [base, exponent] = inputs as [Tensor, Tensor];
    if (!isFloat(base.dtype))
      throw new TensorError(
        "DTYPE_MISMATCH",
        `pow: needs a real dtype; got ${describe(base)} and ${describe(exponent)}.`,
      );
    return [{ dtype: base.dtype, shape: broadcastShapes("pow", base.shape, exponent.shape) }];
  },
  gradient: ({ inputs, outputs: [y], outputGradients: [dy], needed }) => {
    const [base, exponent] = inputs as [Tensor, Tensor];
    if (dy === undefined) return [];
    // A constant has the slope 0 everywhere, also where x^(−1) is infinite.
    const toBase = () => where(equal(exponent, 0), 0, mul(dy, mul(pow(base, sub(exponent, 1)), exponent)));
    // 0 to the power of what is not negative stays 0 (or 1) nearby: no logarithm of 0.
    const toExponent = () =>
      where(logicalAnd(equal(base, 0), greaterEqual(exponent, 0)), 0, mul(dy, mul(y as Tensor, log(base))));
    return [
      needed(0) ? sumTo(toBase(), base.shape) : undefined,
      needed(1) ? sumTo(toExponent(), exponent.shape) : undefined,
    ];
  },
  lower: (lowering, inputs) => lowering.node("Pow", inputs),
});

/**
 * Element by element `base` to the power of `exponent`, broadcasting. A negative base has values for whole exponents only,
 * and no gradient for the exponent (NaN, as in PyTorch).
 */
export function pow(base: Operand, exponent: Operand): Tensor {
  return apply(tensorsOf("pow", base, exponent), undefined)[0];
}
