import type { DType } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { lowerCausalMask, UNSEEN } from "./attention.ts";

interface BiasAttributes {
  readonly dtype: DType;
  readonly causal: boolean;
}

const apply = defineOperator<BiasAttributes>({
  name: "attentionBias",
  infer: ([x], { dtype }) => {
    const mask = x as Tensor;
    if (mask.rank !== 2 || mask.dtype !== "int32")
      throw new TensorError(
        "SHAPE_MISMATCH",
        `attentionBias: needs an int32 mask (B, T); got ${describe(mask)}.`,
      );
    const [batch, length] = [mask.dim(0), mask.dim(1)];
    return [{ dtype, shape: [batch, 1, length, length] }];
  },
  lower: (lowering, [mask], { inputs, attributes: { dtype, causal } }) => {
    const [batch, length] = (inputs[0] as Tensor).shape as [number, number];
    const shaped = (rows: number, columns: number) => lowering.reshape(mask, [batch, 1, rows, columns]);
    const [visible] = lowering.node("Equal", [shaped(length, 1), shaped(1, length)]);
    const [bias] = lowering.node("Where", [
      visible,
      lowering.constant([0], dtype, []),
      lowering.constant([UNSEEN], dtype, []),
    ]);
    return causal ? lowering.node("Add", [bias, lowerCausalMask(lowering, dtype, length)]) : [bias];
  },
});

/**
 * What keeps documents that share a row apart, to be added to attention scores: int32 mask (B, T) → (B, 1, T, T) with 0
 * where position i may see j and −10⁹ or less elsewhere. Positions of equal numbers see each other; with `causal`, j ≤ i
 * besides. The number 0 is padding: it sees itself, so that no row of scores is without a position to see (softmax over
 * nothing is NaN), and no other position sees it. Not differentiable.
 */
export function attentionBias(
  mask: Tensor,
  { dtype = "float32", causal = false }: Partial<BiasAttributes> = {},
): Tensor {
  return apply([mask], { dtype, causal })[0];
}
