import type { DType } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import type { Lowering, Value } from "../lowering.ts";
import { type Dim, type Shape, sameShape } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { lowerMatmul, matmul } from "./matmul.ts";
import { reduceSum, sumTo } from "./reduce.ts";

interface AttentionAttributes {
  readonly scale: number;
  /** Whether position i sees positions 0…i only. */
  readonly causal: boolean;
  readonly dropout: boolean;
  readonly bias: boolean;
}

/** Inputs by name: query, key and value are always there. */
function named<Item>(inputs: readonly Item[], { dropout, bias }: AttentionAttributes) {
  const [query, key, value, fourth, fifth] = inputs as [Item, Item, Item, Item | undefined, Item | undefined];
  return {
    query,
    key,
    value,
    dropout: dropout ? fourth : undefined,
    bias: bias ? (fifth ?? fourth) : undefined,
  };
}

/** Whether NumPy's rules spread `shape` over `whole` without changing `whole`. */
function spreadsOver(shape: Shape, whole: Shape): boolean {
  const lead = whole.length - shape.length;
  return lead >= 0 && shape.every((dim, axis) => dim === 1 || dim === whole[axis + lead]);
}

const apply = defineOperator<AttentionAttributes>({
  name: "attention",
  auxiliaryOutputs: true,
  infer: (inputs, attributes) => {
    const { query: q, key: k, value: v, dropout, bias } = named(inputs, attributes);
    const shape = [...q.shape.slice(0, -1), q.dim(-2)];
    const fits =
      q.rank >= 3 &&
      q.rank === k.rank &&
      sameShape(q.shape.slice(-2), k.shape.slice(-2)) &&
      spreadsOver(k.shape, q.shape) &&
      sameShape(k.shape, v.shape) &&
      (dropout === undefined || sameShape(dropout.shape, shape)) &&
      (bias === undefined || (bias.dtype === q.dtype && spreadsOver(bias.shape, shape)));
    if (!fits)
      throw new TensorError(
        "SHAPE_MISMATCH",
        `${attributes.causal ? "causalAttention" : "attention"}: query, key and value need one shape (…, T, D), where leading axes of key and ` +
          `value may be 1${dropout ? "; dropout (…, T, T)" : ""}${bias ? "; bias what spreads over (…, T, T)" : ""}; got ${inputs.map(describe).join(", ")}.`,
      );
    return [
      { dtype: q.dtype, shape: q.shape },
      { dtype: q.dtype, shape },
    ];
  },
  gradient: ({ inputs, outputs, attributes, outputGradients: [dOut], needed }) => {
    const { query: q, key: k, value: v, dropout } = named(inputs, attributes);
    const { scale } = attributes;
    const [out, weights] = outputs as [Tensor, Tensor];
    if (dOut === undefined) return [];
    const masked = (x: Tensor) => (dropout ? mul(x, dropout) : x);
    // Made first, it is computed last: when the scores' gradient has just been read, not long before it is needed.
    const dValue = needed(2)
      ? sumTo(matmul(masked(weights), dOut, { transposeA: true }), v.shape)
      : undefined;
    const dWeights = masked(matmul(dOut, v, { transposeB: true }));
    // Softmax backward needs rowsum(dP·P), which equals rowsum(dO·O): T/D times fewer numbers to read (engine.md).
    const dScores = mul(sub(dWeights, reduceSum(mul(dOut, out), { axes: [-1], keepDims: true })), weights);
    return [
      needed(0) ? matmul(dScores, k, { scale }) : undefined,
      needed(1) ? sumTo(matmul(dScores, q, { transposeA: true, scale }), k.shape) : undefined,
      dValue,
    ];
  },
  products: ({ inputs: [query], outputs: [, weights] }) => {
    const product = [...(weights as Tensor).shape, (query as Tensor).dim(-1)];
    return [product, product];
  },
  lower: (lowering, values, { inputs, outputs, attributes }) => {
    const { query, key, value } = named(inputs, attributes);
    const { query: q, key: k, value: v, dropout, bias } = named(values, attributes);
    const { scale, causal } = attributes;
    let scores = lowerMatmul(lowering, [q, k], [query, key], { transposeB: true, scale });
    if (causal)
      [scores] = lowering.node("Add", [scores, lowerCausalMask(lowering, query.dtype, query.dim(-2))]);
    if (bias) [scores] = lowering.node("Add", [scores, bias]);
    const [weights] = lowering.node("Softmax", [scores], { attributes: { axis: { int: -1 } } });
    const dropped = dropout ? lowering.node("Mul", [weights, dropout])[0] : weights;
    return [lowerMatmul(lowering, [dropped, v], [outputs[1] as Tensor, value], {}), weights];
  },
});

/** What is added to the score of a position that must not be seen: e to it is 0, and two of them are still finite. */
export const UNSEEN = -1e9;

/**
 * (T, S) with 0 where the i-th of the last T of S positions may see j (j ≤ S − T + i) and −10⁹ elsewhere; folded into a
 * constant where T and S are numbers.
 */
export function lowerCausalMask(lowering: Lowering, dtype: DType, rows: Dim, columns: Dim = rows): Value {
  const full = lowering.fill(UNSEEN, dtype, [rows, columns]);
  return lowering.node("Trilu", [full, firstUnseen(lowering, rows, columns)], {
    attributes: { upper: { int: 1 } },
  })[0];
}

/** The diagonal above which nothing is seen: S − T + 1. */
function firstUnseen(lowering: Lowering, rows: Dim, columns: Dim): Value {
  if (rows === columns) return lowering.constant([1], "int64", []);
  const [before] = lowering.node("Sub", [lowering.dim(columns), lowering.dim(rows)]);
  const [next] = lowering.node("Add", [before, lowering.constant([1], "int64", [1])]);
  return lowering.node("Squeeze", [next])[0];
}

export interface AttentionOptions {
  /** Factors on the attention weights, (…, T, T): 0, or 1/(1 − p). */
  readonly dropout?: Tensor | undefined;
  /** Added to the scores, broadcasting over (…, T, T); no gradient flows into it. See {@link attentionBias}. */
  readonly bias?: Tensor | undefined;
}

/**
 * Scaled dot-product attention, softmax(q·kᵀ/√D + bias)·v (Vaswani et al. 2017, eq. 1).
 *
 * @param query (…, T, D).
 * @param key,value (…, T, D); a leading axis of length 1 serves all of the query's (grouped-query attention, Ainslie et
 *   al. 2023: (B, KV, G, T, D) against (B, KV, 1, T, D)).
 * @returns (…, T, D).
 */
export function attention(query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}): Tensor {
  return applyTo(query, key, value, false, options);
}

/** {@link attention} in which position i sees positions 0…i; the optional `dropout` is (…, T, T). */
export function causalAttention(query: Tensor, key: Tensor, value: Tensor, dropout?: Tensor): Tensor {
  return applyTo(query, key, value, true, { dropout });
}

function applyTo(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  causal: boolean,
  { dropout, bias }: AttentionOptions,
): Tensor {
  const width = query.dim(-1);
  if (typeof width !== "number")
    throw new TensorError(
      "SYMBOLIC_DIMENSION",
      `${causal ? "causalAttention" : "attention"}: the head size must be a number; got ${describe(query)}.`,
    );
  const inputs = [query, key, value, dropout, bias].filter((tensor) => tensor !== undefined);
  const attributes = {
    scale: 1 / Math.sqrt(width),
    causal,
    dropout: dropout !== undefined,
    bias: bias !== undefined,
  };
  return apply(inputs, attributes)[0];
}
