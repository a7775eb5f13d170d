import { TensorError } from "../errors.ts";
import { broadcastShapes } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { logicalNot } from "./logical.ts";
import { type Operand, tensorsOf } from "./operands.ts";

function comparison(name: string, onnx: string): (a: Operand, b: Operand) => Tensor {
  const apply = defineOperator<undefined>({
    name,
    infer: (inputs) => {
      const [a, b] = inputs as [Tensor, Tensor];
      if (a.dtype === "bool" && name !== "equal")
        throw new TensorError(
          "DTYPE_MISMATCH",
          `${name}: truth values have no order; got ${describe(a)} and ${describe(b)}.`,
        );
      return [{ dtype: "bool", shape: broadcastShapes(name, a.shape, b.shape) }];
    },
    lower: (lowering, inputs) => lowering.node(onnx, inputs),
  });
  return (a, b) => apply(tensorsOf(name, a, b), undefined)[0];
}

/** Element by element whether `a = b`, broadcasting: bool. */
export const equal = comparison("equal", "Equal");

/** Element by element whether `a < b`, broadcasting: bool. */
export const less = comparison("less", "Less");

/** Element by element whether `a ≤ b`, broadcasting: bool. */
export const lessEqual = comparison("lessEqual", "LessOrEqual");

/** Element by element whether `a > b`, broadcasting: bool. */
export const greater = comparison("greater", "Greater");

/** Element by element whether `a ≥ b`, broadcasting: bool. */
export const greaterEqual = comparison("greaterEqual", "GreaterOrEqual");

/** Element by element whether `a ≠ b`, broadcasting: bool. */
export function notEqual(a: Operand, b: Operand): Tensor {
  return logicalNot(equal(a, b));
}
