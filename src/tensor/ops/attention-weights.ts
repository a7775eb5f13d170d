import type { DType } from "../dtype.ts";
import type { Lowering, Value } from "../lowering.ts";
import type { Dim } from "../shape.ts";
import { defineOperator, type Tensor } from "../tensor.ts";
import { lowerMatmul } from "./matmul.ts";

/** What is added to the score of a position that must not be seen: e to it is 0, and two of them are still finite. */
export const UNSEEN = -1e9;

/**
 * (T, S) with 0 where the i-th of T positions may see j (j < firstSees + i) and −10⁹ elsewhere; folded into a constant where
 * T and S are numbers. The first sees S − T + 1 when left out: the T positions are the last of S.
 */
export function lowerCausalMask(
  lowering: Lowering,
  dtype: DType,
  rows: Dim,
  columns: Dim = rows,
  firstSees?: number,
): Value {
  const full = lowering.fill(UNSEEN, dtype, [rows, columns]);
  const diagonal =
    firstSees === undefined
      ? firstUnseen(lowering, rows, columns)
      : lowering.constant([firstSees], "int64", []);
  return lowering.node("Trilu", [full, diagonal], { attributes: { upper: { int: 1 } } })[0];
}

/** The diagonal above which nothing is seen: S − T + 1. */
function firstUnseen(lowering: Lowering, rows: Dim, columns: Dim): Value {
  if (rows === columns) return lowering.constant([1], "int64", []);
  const [before] = lowering.node("Sub", [lowering.dim(columns), lowering.dim(rows)]);
  const [next] = lowering.node("Add", [before, lowering.constant([1], "int64", [1])]);
  return lowering.node("Squeeze", [next])[0];
}

export interface WeightsAttributes {
  readonly scale: number;
  /** How many keys the first query sees; each further one sees one more. Left out: all see all. */
  readonly firstSees?: number | undefined;
}

/** Emits softmax(scale·q·kᵀ + causal mask + bias). */
export function lowerWeights(
  lowering: Lowering,
  [q, k, bias]: readonly [Value, Value, Value | undefined],
  [query, key]: readonly [Tensor, Tensor],
  { scale, firstSees }: WeightsAttributes,
): Value {
  let scores = lowerMatmul(lowering, [q, k], [query, key], { transposeB: true, scale });
  if (firstSees !== undefined) {
    const mask = lowerCausalMask(lowering, query.dtype, query.dim(-2), key.dim(-2), firstSees);
    [scores] = lowering.node("Add", [scores, mask]);
  }
  if (bias) [scores] = lowering.node("Add", [scores, bias]);
  return lowering.node("Softmax", [scores], { attributes: { axis: { int: -1 } } })[0];
}

const apply = defineOperator<WeightsAttributes>({
  name: "attentionWeights",
  infer: (inputs) => {
    const [query, key] = inputs as [Tensor, Tensor];
    return [{ dtype: query.dtype, shape: [...query.shape.slice(0, -1), key.dim(-2)] }];
  },
  lower: (lowering, values, { inputs, attributes }) => [
    lowerWeights(
      lowering,
      values as [Value, Value, Value | undefined],
      inputs as [Tensor, Tensor],
      attributes,
    ),
  ],
});

/**
 * The weights of attention: query (…, T, D), key (…, S, D), a bias that spreads over (…, T, S) → (…, T, S). For gradients, which
 * compute them again: it has none itself.
 */
export function attentionWeights(
  query: Tensor,
  key: Tensor,
  bias: Tensor | undefined,
  attributes: WeightsAttributes,
): Tensor {
  return apply(bias ? [query, key, bias] : [query, key], attributes)[0];
}
