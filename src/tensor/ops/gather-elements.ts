import { TensorError } from "../errors.ts";
import { normalizeAxis, sameShape } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { fill } from "./fill.ts";

interface AxisAttributes {
  readonly axis: number;
}

/** Indices have the shape of `x`, but on `axis`, where they may have any length. */
function checkIndices(operator: string, x: Tensor, indices: Tensor, axis: number): void {
  const others = (tensor: Tensor) => tensor.shape.filter((_dim, at) => at !== axis);
  if (indices.dtype !== "int32" || indices.rank !== x.rank || !sameShape(others(indices), others(x)))
    throw new TensorError(
      "SHAPE_MISMATCH",
      `${operator}: needs int32 indices of the shape of x, but for axis ${axis}; got ${describe(x)} and ${describe(indices)}.`,
    );
}

const applyGather = defineOperator<AxisAttributes>({
  name: "gatherElements",
  infer: (inputs, { axis }) => {
    const [x, indices] = inputs as [Tensor, Tensor];
    checkIndices("gatherElements", x, indices, axis);
    return [{ dtype: x.dtype, shape: indices.shape }];
  },
  gradient: ({ inputs, attributes: { axis }, outputGradients: [dy] }) => {
    const [x, indices] = inputs as [Tensor, Tensor];
    return [dy && scatterAdd(fill(0, x.dtype, x.shape), axis, indices, dy)];
  },
  lower: (lowering, inputs, { attributes: { axis } }) =>
    lowering.node("GatherElements", inputs, { attributes: { axis: { int: axis } } }),
});

/**
 * The elements along `axis` that int32 `indices` say, one by one, of the shape of the indices: for a matrix and axis 1,
 * y[i, j] = x[i, indices[i, j]]. PyTorch's `gather`. An index outside [−length, length) fails when the graph runs.
 *
 * @example const best = gatherElements(logits, topK(logits, 5), -1);   // (…, V) → (…, 5)
 */
export function gatherElements(x: Tensor, indices: Tensor, axis: number): Tensor {
  return applyGather([x, indices], { axis: normalizeAxis("gatherElements", axis, x.rank) })[0];
}

const applyScatter = defineOperator<AxisAttributes>({
  name: "scatterAdd",
  infer: (inputs, { axis }) => {
    const [x, indices, updates] = inputs as [Tensor, Tensor, Tensor];
    checkIndices("scatterAdd", x, indices, axis);
    if (updates.dtype !== x.dtype || !sameShape(updates.shape, indices.shape))
      throw new TensorError(
        "SHAPE_MISMATCH",
        `scatterAdd: needs updates of the shape of the indices and the dtype of x; got ${inputs.map(describe).join(", ")}.`,
      );
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient: ({ inputs: [, indices], attributes: { axis }, outputGradients: [dy], needed }) => [
    dy,
    undefined,
    dy && needed(2) ? gatherElements(dy, indices as Tensor, axis) : undefined,
  ],
  // ScatterND with reduction=add loses updates on two threads; ScatterElements is exact (engine.md).
  lower: (lowering, inputs, { attributes: { axis } }) =>
    lowering.node("ScatterElements", inputs, {
      attributes: { axis: { int: axis }, reduction: { string: "add" } },
    }),
});

/**
 * `x` with each element of `updates` added at the place along `axis` that int32 `indices` say: for a matrix and axis 1,
 * y[i, indices[i, j]] += updates[i, j]. Updates of one place add up. PyTorch's `scatter_add`. Indices and updates have the
 * shape of `x`, but for `axis`.
 */
export function scatterAdd(x: Tensor, axis: number, indices: Tensor, updates: Tensor): Tensor {
  return applyScatter([x, indices, updates], { axis: normalizeAxis("scatterAdd", axis, x.rank) })[0];
}
