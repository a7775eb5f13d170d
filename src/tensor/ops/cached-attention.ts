import { TensorError } from "../errors.ts";
import type { Lowering, Value } from "../lowering.ts";
import { addDims, type Dim, divideDims, type Shape, sameShape, sizeOf } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { lowerMatmul } from "./matmul.ts";

const apply = defineOperator<undefined>({
  name: "cachedAttention",
  infer: (inputs) => {
    const [query, key, value, pastKey, pastValue, bias] = inputs as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const [batch, heads = 0, length, width] = query.shape;
    const groups = key.dim(1);
    const past = pastKey.rank === 4 ? pastKey.dim(2) : 0;
    const fits =
      query.rank === 4 &&
      inputs.every(({ dtype }) => dtype === query.dtype) &&
      typeof width === "number" &&
      divideDims(heads, groups) !== undefined &&
      sameShape(key.shape, [batch ?? 0, groups, length ?? 0, width]) &&
      sameShape(value.shape, key.shape) &&
      sameShape(pastKey.shape, [batch ?? 0, groups, past, width]) &&
      sameShape(pastValue.shape, pastKey.shape) &&
      sameShape(bias.shape, [batch ?? 0, 1, length ?? 0, addDims(past, length ?? 0)]);
    if (!fits)
      throw new TensorError(
        "SHAPE_MISMATCH",
        "cachedAttention: needs query (B, H, T, D), key and value (B, KV, T, D), past keys and values (B, KV, P, D) and bias " +
          `(B, 1, T, P + T), where D is a number and KV divides H; got ${inputs.map(describe).join(", ")}.`,
      );
    return [{ dtype: query.dtype, shape: query.shape }];
  },
  products: ({ inputs: [query, , , , , bias] }) => {
    const product = [...(query as Tensor).shape, (bias as Tensor).dim(-1)];
    return [product, product];
  },
  lower: (lowering, values, { inputs }) => {
    const [q, k, v, pastK, pastV, bias] = values as [Value, Value, Value, Value, Value, Value];
    const [query, key, , pastKey] = inputs as [Tensor, Tensor, Tensor, Tensor];
    const [batch, heads, length, width] = query.shape as [Dim, Dim, Dim, number];
    const [groups, past] = [key.dim(1), pastKey.dim(2)];
    const perGroup = divideDims(heads, groups) ?? 1;
    const total = addDims(past, length);
    const shapes = new GroupedShapes(lowering, { batch, groups, perGroup, length });

    // Scores of what is cached and of what is new are joined, not the keys and the values: those are D times as many numbers.
    // The query is scaled first, for a product without a factor is the one that has a kernel for single rows.
    const factor = lowering.constant([1 / Math.sqrt(width)], query.dtype, []);
    const scaled = shapes.rows(lowering.node("Mul", [q, factor])[0], width);
    const product = (a: Value, b: Value, transposeB: boolean) =>
      lowerMatmul(lowering, [a, b], [query, key], { transposeB });
    const [scores] = lowering.node("Concat", [product(scaled, pastK, true), product(scaled, k, true)], {
      attributes: { axis: { int: -1 } },
    });
    const [biased] = lowering.node("Add", [shapes.byHead(scores, total), shapes.overHeads(bias, total)]);
    const [weights] = lowering.node("Softmax", [biased], { attributes: { axis: { int: -1 } } });
    const [ofPast, ofNew] = lowering.node(
      "Split",
      [shapes.rows(weights, total), lowering.shapeVector([past, length])],
      {
        attributes: { axis: { int: -1 } },
        outputs: 2,
      },
    ) as readonly [Value, Value];
    const [mixed] = lowering.node("Add", [product(ofPast, pastV, false), product(ofNew, v, false)]);
    return [perGroup === 1 ? mixed : lowering.reshape(mixed, query.shape)];
  },
});

/** Sizes of a batch of queries. */
interface Sizes {
  readonly batch: Dim;
  readonly groups: Dim;
  readonly perGroup: Dim;
  readonly length: Dim;
}

/** Query heads that share a key head are rows of one product with it; where each has its own, nothing is reshaped. */
class GroupedShapes {
  readonly #lowering: Lowering;
  readonly #sizes: Sizes;

  constructor(lowering: Lowering, sizes: Sizes) {
    this.#lowering = lowering;
    this.#sizes = sizes;
  }

  /** (B, KV, G·T, width) */
  rows(value: Value, width: Dim): Value {
    const { batch, groups, perGroup, length } = this.#sizes;
    return this.#grouped(value, [batch, groups, sizeOf([perGroup, length]), width]);
  }

  /** (B, KV, G, T, width) */
  byHead(value: Value, width: Dim): Value {
    const { batch, groups, perGroup, length } = this.#sizes;
    return this.#grouped(value, [batch, groups, perGroup, length, width]);
  }

  /** (B, 1, 1, T, width) of (B, 1, T, width) */
  overHeads(value: Value, width: Dim): Value {
    const { batch, length } = this.#sizes;
    return this.#grouped(value, [batch, 1, 1, length, width]);
  }

  #grouped(value: Value, shape: Shape): Value {
    if (this.#sizes.perGroup === 1) return value;
    return this.#lowering.reshape(value, shape);
  }
}

export interface CachedAttentionOptions {
  /** Keys and values of the P positions before these, each (B, KV, P, D). */
  readonly past: { readonly key: Tensor; readonly value: Tensor };
  /** Added to the scores, (B, 1, T, P + T): who sees whom, and which of the past there is. See {@link attentionBias}. */
  readonly bias: Tensor;
}

/**
 * Scaled dot-product attention of T positions over themselves and P before them whose keys and values were kept:
 * query (B, H, T, D), key and value (B, KV, T, D) → (B, H, T, D). Query heads h·H/KV and on share key head h (grouped-query
 * attention, Ainslie et al. 2023). Not differentiable.
 *
 * @example cachedAttention(q, k, v, { past, bias: attentionBias(mask, { causal: true, queries: T }) })
 */
export function cachedAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { past, bias }: CachedAttentionOptions,
): Tensor {
  return apply([query, key, value, past.key, past.value, bias], undefined)[0];
}
