import type { DType } from "../dtype.ts";
import { TensorError } from "../errors.ts";
import type { Lowering, Value } from "../lowering.ts";
import { type Dim, sameShape } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { lowerMatmul, matmul } from "./matmul.ts";
import { reduceSum } from "./reduce.ts";

interface AttentionAttributes {
  readonly scale: number;
}

const apply = defineOperator<AttentionAttributes>({
  name: "causalAttention",
  auxiliaryOutputs: true,
  infer: (inputs) => {
    const [q, k, v, dropout] = inputs as [Tensor, Tensor, Tensor, Tensor | undefined];
    const shape = [...q.shape.slice(0, -1), q.dim(-2)];
    const bad = q.rank < 3 || !sameShape(q.shape, k.shape) || !sameShape(k.shape, v.shape);
    if (bad || (dropout && !sameShape(dropout.shape, shape)))
      throw new TensorError(
        "SHAPE_MISMATCH",
        `causalAttention: query, key and value need one shape (…, T, D)${dropout ? " and dropout (…, T, T)" : ""}; got ${inputs.map(describe).join(", ")}.`,
      );
    return [
      { dtype: q.dtype, shape: q.shape },
      { dtype: q.dtype, shape },
    ];
  },
  gradient: ({ inputs, outputs, attributes: { scale }, outputGradients: [dOut], needed }) => {
    const [q, k, v, dropout] = inputs as [Tensor, Tensor, Tensor, Tensor | undefined];
    const [out, weights] = outputs as [Tensor, Tensor];
    if (dOut === undefined) return [];
    const masked = (x: Tensor) => (dropout ? mul(x, dropout) : x);
    // Made first, it is computed last: when the scores' gradient has just been read, not long before it is needed.
    const dValue = needed(2) ? matmul(masked(weights), dOut, { transposeA: true }) : undefined;
    const dWeights = masked(matmul(dOut, v, { transposeB: true }));
    // Softmax backward needs rowsum(dP·P), which equals rowsum(dO·O): T/D times fewer numbers to read (engine.md).
    const dScores = mul(sub(dWeights, reduceSum(mul(dOut, out), { axes: [-1], keepDims: true })), weights);
    return [
      needed(0) ? matmul(dScores, k, { scale }) : undefined,
      needed(1) ? matmul(dScores, q, { transposeA: true, scale }) : undefined,
      dValue,
    ];
  },
  lower: (lowering, [q, k, v, dropout], { inputs, outputs, attributes: { scale } }) => {
    const [query, key, value] = inputs as [Tensor, Tensor, Tensor];
    const products = lowerMatmul(lowering, [q as Value, k as Value], [query, key], {
      transposeB: true,
      scale,
    });
    const [scores] = lowering.node("Add", [products, lowerCausalMask(lowering, query.dtype, query.dim(-2))]);
    const [weights] = lowering.node("Softmax", [scores], { attributes: { axis: { int: -1 } } });
    const dropped = dropout ? lowering.node("Mul", [weights, dropout])[0] : weights;
    return [lowerMatmul(lowering, [dropped, v as Value], [outputs[1] as Tensor, value], {}), weights];
  },
});

/** (T, T) with 0 where position i may see j (j ≤ i) and −10⁹ elsewhere; folded into a constant where T is a number. */
function lowerCausalMask(lowering: Lowering, dtype: DType, length: Dim): Value {
  const full = lowering.fill(-1e9, dtype, [length, length]);
  return lowering.node("Trilu", [full, lowering.constant([1], "int64", [])], {
    attributes: { upper: { int: 1 } },
  })[0];
}

/**
 * Scaled dot-product attention in which position i sees positions 0…i (Vaswani et al. 2017, eq. 1).
 *
 * @param query,key,value (…, T, D) each.
 * @param dropout factors on the attention weights, (…, T, T): 0, or 1/(1 − p).
 * @returns (…, T, D).
 */
export function causalAttention(query: Tensor, key: Tensor, value: Tensor, dropout?: Tensor): Tensor {
  const width = query.dim(-1);
  if (typeof width !== "number")
    throw new TensorError(
      "SYMBOLIC_DIMENSION",
      `causalAttention: the head size must be a number; got ${describe(query)}.`,
    );
  const inputs = dropout ? [query, key, value, dropout] : [query, key, value];
  return apply(inputs, { scale: 1 / Math.sqrt(width) })[0];
}
