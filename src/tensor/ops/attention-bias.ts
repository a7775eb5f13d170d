import type { DType } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import type { Lowering, Value } from "../lowering.ts";
import type { Dim } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { lowerCausalMask, UNSEEN } from "./attention-weights.ts";

interface BiasAttributes {
  readonly dtype: DType;
  readonly causal: boolean;
  /** How many positions, the last of the mask, look at all of them. */
  readonly queries: Dim;
}

const apply = defineOperator<BiasAttributes>({
  name: "attentionBias",
  infer: ([x], { dtype, queries }) => {
    const mask = x as Tensor;
    if (mask.rank !== 2 || mask.dtype !== "int32")
      throw new TensorError(
        "SHAPE_MISMATCH",
        `attentionBias: needs an int32 mask (B, T); got ${describe(mask)}.`,
      );
    const length = mask.dim(1);
    if (typeof queries === "number" && typeof length === "number" && queries > length)
      throw new TensorError(
        "SHAPE_MISMATCH",
        `attentionBias: ${queries} positions cannot look out of a mask ${describe(mask)}.`,
      );
    return [{ dtype, shape: [mask.dim(0), 1, queries, length] }];
  },
  lower: (lowering, [mask], { inputs, attributes: { dtype, causal, queries } }) => {
    const [batch, length] = (inputs[0] as Tensor).shape as [number, number];
    const looking =
      queries === length ? mask : lowering.node("Slice", [mask, ...lastOf(lowering, queries)])[0];
    const shaped = (value: Value | undefined, rows: Dim, columns: Dim) =>
      lowering.reshape(value, [batch, 1, rows, columns]);
    const [visible] = lowering.node("Equal", [shaped(looking, queries, 1), shaped(mask, 1, length)]);
    const [bias] = lowering.node("Where", [
      visible,
      lowering.constant([0], dtype, []),
      lowering.constant([UNSEEN], dtype, []),
    ]);
    // The last position may see all that stand before it: all there are.
    if (!causal || queries === 1) return [bias];
    return lowering.node("Add", [bias, lowerCausalMask(lowering, dtype, queries, length)]);
  },
});

/** Starts, ends and axes of the slice that has the last `count` columns of a matrix. */
function lastOf(lowering: Lowering, count: Dim): Value[] {
  const integer = (value: number) => lowering.constant([value], "int64", [1]);
  const start = typeof count === "number" ? integer(-count) : lowering.node("Neg", [lowering.dim(count)])[0];
  return [start, integer(2 ** 31 - 1), integer(1)];
}

/**
 * What keeps documents that share a row apart, to be added to attention scores: int32 mask (B, T) → (B, 1, T, T) with 0
 * where position i may see j and −10⁹ or less elsewhere. Positions of equal numbers see each other; with `causal`, j ≤ i
 * besides. The number 0 is padding: it sees itself, so that no row of scores is without a position to see (softmax over
 * nothing is NaN), and no other position sees it. With `queries`, only the last so many positions look, at all of the
 * mask: (B, 1, queries, T), as when the positions before them are in a key-value cache. Not differentiable.
 */
export function attentionBias(
  mask: Tensor,
  { dtype = "float32", causal = false, queries }: Partial<BiasAttributes> = {},
): Tensor {
  return apply([mask], { dtype, causal, queries: queries ?? mask.shape[1] ?? 1 })[0];
}

/** Whether `bias` was made by {@link attentionBias} for all positions and hides from each what comes after it. */
export function hidesLater(bias: Tensor): boolean {
  const { source } = bias;
  if (source.kind !== "operation") return false;
  const { operator, inputs, attributes } = source.operation;
  if (operator.name === "reshape") return hidesLater(inputs[0] as Tensor);
  if (operator.name !== "attentionBias") return false;
  const { causal, queries } = attributes as BiasAttributes;
  return causal && queries === inputs[0]?.dim(1);
}
