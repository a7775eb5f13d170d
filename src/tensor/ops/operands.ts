import { TensorError } from "../errors.ts";
import { describe, scalar, type Tensor } from "../tensor.ts";

/** A tensor, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Tensor | number;

/** Both operands as tensors of one dtype. */
export function tensorsOf(operator: string, a: Operand, b: Operand): readonly [Tensor, Tensor] {
  if (typeof a === "number" && typeof b === "number")
    throw new TensorError(
      "NO_TENSOR",
      `${operator}: at least one operand must be a tensor; got ${a} and ${b}.`,
    );
  const left = typeof a === "number" ? scalar(a, (b as Tensor).dtype) : a;
  const right = typeof b === "number" ? scalar(b, left.dtype) : b;
  if (left.dtype !== right.dtype)
    throw new TensorError(
      "DTYPE_MISMATCH",
      `${operator}: ${describe(left)} and ${describe(right)} have different dtypes.`,
    );
  return [left, right];
}
