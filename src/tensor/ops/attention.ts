import { TensorError } from "../errors.ts";
import { type Dim, type Shape, sameShape } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { hidesLater } from "./attention-bias.ts";
import { attentionInBlocks } from "./attention-blocks.ts";
import { lowerWeights } from "./attention-weights.ts";
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

/** @throws TensorError naming all shapes unless they fit. */
function checkShapes(inputs: readonly Tensor[], attributes: AttentionAttributes): void {
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
}

const apply = defineOperator<AttentionAttributes>({
  name: "attention",
  auxiliaryOutputs: true,
  infer: ([query]) => {
    const { dtype, shape } = query as Tensor;
    return [
      { dtype, shape },
      { dtype, shape: [...shape.slice(0, -1), (query as Tensor).dim(-2)] },
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
    const weights = lowerWeights(lowering, [q, k, bias], [query, key], {
      scale: attributes.scale,
      firstSees: attributes.causal ? 1 : undefined,
    });
    const dropped = dropout ? lowering.node("Mul", [weights, dropout])[0] : weights;
    return [lowerMatmul(lowering, [dropped, v], [outputs[1] as Tensor, value], {}), weights];
  },
});

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
  checkShapes(inputs, attributes);
  return goesInBlocks(query.dim(-2), causal, { dropout, bias })
    ? attentionInBlocks([query, key, value, bias], attributes.scale)
    : apply(inputs, attributes)[0];
}

/** From how many positions on causal attention goes block by block. */
const LONG = 256;

/**
 * Whether attention goes block by block, by what is known of the shapes alone: two runs do the same. With its gradients it then
 * takes 48, 71, 129 and 246 ms of the processor instead of 52, 86, 157 and 322 at T = 256, 512, 1,024 and 2,048 (`bench attention`);
 * a step of 2 layers of 384 with 2,048 tokens has a peak of 432, 472, 497 and 520 MB instead of 456, 535, 662 and 927.
 *
 * Where every position sees every other one nothing can be left out, and computing weights again makes attention a third slower.
 * Dropout comes as factors for all weights at once, which are as large as what blocks would spare.
 */
function goesInBlocks(length: Dim, causal: boolean, { dropout, bias }: AttentionOptions): boolean {
  if (typeof length !== "number" || length < LONG || dropout !== undefined) return false;
  return causal ? bias === undefined : bias !== undefined && hidesLater(bias);
}
