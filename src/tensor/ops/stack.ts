import { TensorError } from "../errors.ts";
import { sameShape } from "../shape.ts";
import { describe, type Tensor } from "../tensor.ts";
import { concat } from "./concat.ts";
import { unsqueeze } from "./squeeze.ts";

/**
 * Tensors of one shape beside each other along a new axis, which is axis `axis` of the result: n of (…) → (n, …).
 *
 * @throws TensorError when there is none, or their dtypes or shapes differ.
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new TensorError("NO_TENSOR", "stack: needs at least one tensor.");
  if (tensors.some(({ dtype, shape }) => dtype !== first.dtype || !sameShape(shape, first.shape)))
    throw new TensorError(
      "SHAPE_MISMATCH",
      `stack: ${tensors.map(describe).join(", ")} do not have one dtype and shape.`,
    );
  return concat(
    tensors.map((tensor) => unsqueeze(tensor, axis)),
    axis < 0 ? axis + first.rank + 1 : axis,
  );
}
