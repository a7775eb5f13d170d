import { TensorError } from "../errors.ts";
import { normalizeAxes, normalizeAxis } from "../shape.ts";
import { describe, type Tensor } from "../tensor.ts";
import { reshape } from "./reshape.ts";

/**
 * Without the axes of length 1 that `axes` names (all such when left out).
 *
 * @throws TensorError when a named axis has another length.
 */
export function squeeze(x: Tensor, axes?: readonly number[]): Tensor {
  const all = x.shape.map((_dim, axis) => axis);
  const gone = axes ? normalizeAxes("squeeze", axes, x.rank) : all.filter((axis) => x.shape[axis] === 1);
  for (const axis of gone)
    if (x.shape[axis] !== 1)
      throw new TensorError(
        "SHAPE_MISMATCH",
        `squeeze: axis ${axis} of ${describe(x)} has the length ${x.shape[axis]}, not 1.`,
      );
  return reshape(
    x,
    x.shape.filter((_dim, axis) => !gone.includes(axis)),
  );
}

/** With an axis of length 1 more, which is axis `axis` of the result. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const at = normalizeAxis("unsqueeze", axis, x.rank + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}
