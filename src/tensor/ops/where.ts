import { TensorError } from "../errors.ts";
import { broadcastShapes } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { type Operand, tensorsOf } from "./operands.ts";
import { sumTo } from "./reduce.ts";

const apply = defineOperator<undefined>({
  name: "where",
  infer: (inputs) => {
    const [condition, a, b] = inputs as [Tensor, Tensor, Tensor];
    if (condition.dtype !== "bool")
      throw new TensorError(
        "DTYPE_MISMATCH",
        `where: the condition must be truth values; got ${describe(condition)}.`,
      );
    const shape = broadcastShapes("where", a.shape, b.shape);
    return [{ dtype: a.dtype, shape: broadcastShapes("where", condition.shape, shape) }];
  },
  gradient: ({ inputs, outputGradients: [dy], needed }) => {
    const [condition, a, b] = inputs as [Tensor, Tensor, Tensor];
    if (dy === undefined) return [];
    return [
      undefined,
      needed(1) ? sumTo(where(condition, dy, 0), a.shape) : undefined,
      needed(2) ? sumTo(where(condition, 0, dy), b.shape) : undefined,
    ];
  },
  lower: (lowering, inputs) => lowering.node("Where", inputs),
});

/**
 * The element of `a` where the condition holds, else that of `b`; all three broadcast. Gradients flow into the one that was
 * taken.
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  return apply([condition, ...tensorsOf("where", a, b)], undefined)[0];
}
