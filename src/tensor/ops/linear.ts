import { TensorError } from "../errors.ts";
import type { Value } from "../lowering.ts";
import { type Dim, sameShape, sizeOf } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { columnSum } from "./column-sum.ts";
import { oneHotDifference } from "./cross-entropy.ts";
import { gather, scatterAddRows } from "./gather.ts";
import { reshape } from "./reshape.ts";
import { lowerTransposedProduct } from "./transposed-product.ts";

interface GemmAttributes {
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
}

const apply = defineOperator<GemmAttributes>({
  name: "gemm",
  infer: (inputs, { transA, transB }) => {
    const [a, b, c] = inputs as [Tensor, Tensor, Tensor | undefined];
    if (a.rank !== 2 || !fits(a, transA ? a.dim(0) : a.dim(1), b, c, transB))
      throw misfit("gemm", `${describe(a)}${transA ? " transposed" : ""}`, b, c, transB);
    return [{ dtype: a.dtype, shape: [transA ? a.dim(1) : a.dim(0), transB ? b.dim(0) : b.dim(1)] }];
  },
  gradient: ({ inputs, attributes, outputGradients: [dy], needed }) => {
    const [a, b, c] = inputs as [Tensor, Tensor, Tensor | undefined];
    if (dy === undefined) return [];
    const { transA, transB, alpha } = attributes;
    // dY = wide · scale: scaling A and the result (N, K) costs less than scaling dY (N, M) when M is the vocabulary.
    const { wide, scale } = transA ? { wide: dy, scale: undefined } : factorRowScale(dy, a.dim(1));
    const apart = !transA && transB && !c && alpha === 1 && isManyTimes(wide.dim(1), a.dim(1));
    const difference = apart ? oneHotDifference(wide) : undefined;
    if (difference) {
      const { probabilities, labels } = difference;
      const rows = scaleRows(a, scale);
      const chosen = () => gather(b, reshape(labels, [labels.dim(0)]));
      return [
        needed(0) ? scaleRows(sub(gemm(probabilities, b), chosen()), scale) : undefined,
        needed(1)
          ? scatterAddRows(gemm(probabilities, rows, { transA: true }), labels, mul(rows, -1))
          : undefined,
      ];
    }
    const da = () =>
      transA
        ? gemm(b, dy, { transA: transB, transB: true, alpha })
        : scaleRows(gemm(wide, b, { transB: !transB, alpha }), scale);
    const db = () =>
      transB
        ? gemm(wide, scaleRows(a, scale), { transA: true, transB: transA, alpha })
        : gemm(scaleRows(a, scale), wide, { transA: !transA, alpha });
    return [
      needed(0) ? da() : undefined,
      needed(1) ? db() : undefined,
      c && needed(2) ? columnSum(wide, scale) : undefined,
    ];
  },
  products: ({ inputs: [a], outputs: [y], attributes: { transA } }) => [
    [...(y as Tensor).shape, (a as Tensor).dim(transA ? 0 : 1)],
  ],
  lower: (lowering, [a, b, c], { attributes: { transA, transB, alpha }, inputs }) => {
    const [{ dtype }] = inputs as [Tensor];
    const other =
      lowering.forProcessor && transA && !transB && c === undefined && dtype === "float32"
        ? lowerTransposedProduct(
            lowering,
            [a as Value, b as Value],
            [inputs[0] as Tensor, inputs[1] as Tensor],
            alpha,
          )
        : undefined;
    if (other !== undefined) return [other];
    const product = (factor: number, bias: Value | undefined) =>
      lowering.node("Gemm", [a, b, bias], {
        attributes: {
          transA: { int: transA ? 1 : 0 },
          transB: { int: transB ? 1 : 0 },
          alpha: { float: factor },
        },
      });
    // ONNX keeps the factor in float32: 1/3 would cost a float64 gradient half of its digits.
    if (dtype === "float32" || Math.fround(alpha) === alpha) {
      if (c === undefined || !lowering.forProcessor || !isBiasApart(inputs[0] as Tensor, transA))
        return product(alpha, c);
      return lowering.node("Add", [product(alpha, undefined)[0], c]);
    }
    const [scaled] = lowering.node("Mul", [product(1, undefined)[0], lowering.constant([alpha], dtype, [])]);
    return c ? lowering.node("Add", [scaled, c]) : [scaled];
  },
});

/**
 * ONNX Runtime fills the product's memory with the bias on one thread before it multiplies, which costs more than adding it on
 * all threads afterwards: 1.11 instead of 1.03 ms at 2048 × 128 × 384, 12.2 and 12.2 at 512 × 768 × 3072 (Zen 4).
 */
function isBiasApart({ shape }: Tensor, transA: boolean): boolean {
  const [rows, inner] = transA ? [shape[1], shape[0]] : shape;
  return typeof rows === "number" && typeof inner === "number" && rows >= 256 && inner <= 512;
}

/**
 * Whether probabilities and one-hot labels are taken apart: whether rows are so much longer (V) than those of the other factor (C)
 * that a copy of N rows of V costs more than to look up, subtract and add N rows of C. On one thread the gradient of the logits
 * and of the table takes 8.0 instead of 11.3 ms joined at N 2048, V 512, C 128 and 166 instead of 178 at V 4096, C 384; at V 50257,
 * C 768 it would take 100 MB more.
 */
function isManyTimes(length: Dim, other: Dim): boolean {
  return typeof length !== "number" || typeof other !== "number" || length > 16 * other;
}

/** Whether rows of `x` of length `inner` can be multiplied with the weight and added to the bias. */
function fits(x: Tensor, inner: Dim, weight: Tensor, bias: Tensor | undefined, transposed: boolean): boolean {
  if (weight.rank !== 2 || weight.dtype !== x.dtype || inner !== weight.dim(transposed ? 1 : 0)) return false;
  return !bias || (sameShape(bias.shape, [weight.dim(transposed ? 0 : 1)]) && bias.dtype === x.dtype);
}

function misfit(
  operator: string,
  x: string,
  weight: Tensor,
  bias: Tensor | undefined,
  transposed: boolean,
): TensorError {
  const rest = `${describe(weight)}${transposed ? " transposed" : ""}${bias ? `, bias ${describe(bias)}` : ""}`;
  return new TensorError("SHAPE_MISMATCH", `${operator}: ${x} times ${rest} do not fit.`);
}

/** `alpha · op(a) · op(b)` of two matrices, where `op` transposes if asked. */
export function gemm(a: Tensor, b: Tensor, options: Partial<GemmAttributes> = {}, bias?: Tensor): Tensor {
  const attributes = {
    transA: options.transA ?? false,
    transB: options.transB ?? false,
    alpha: options.alpha ?? 1,
  };
  return apply(bias ? [a, b, bias] : [a, b], attributes)[0];
}

/**
 * `x · weight + bias` over the last axis: x (…, K), weight (K, M), bias (M) → (…, M).
 * With `transposed`, the weight is (M, K), as PyTorch's `nn.Linear` and tied embeddings keep it.
 *
 * @throws TensorError naming all shapes when they do not fit.
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: { transposed?: boolean } = {},
): Tensor {
  const transposed = options.transposed ?? false;
  if (x.rank === 0 || !fits(x, x.dim(-1), weight, bias, transposed))
    throw misfit("linear", describe(x), weight, bias, transposed);
  const rows = reshape(x, [sizeOf(x.shape.slice(0, -1)), x.dim(-1)]);
  const y = gemm(rows, weight, { transB: transposed }, bias);
  return reshape(y, [...x.shape.slice(0, -1), y.dim(1)]);
}

/**
 * Writes `x` as `wide · scale` with scale (N, 1) if that is how it was made and x is wider than what it is multiplied with:
 * the product can then scale its narrow side instead of a (N, vocabulary) array.
 */
function factorRowScale(x: Tensor, otherWidth: Dim): { readonly wide: Tensor; readonly scale?: Tensor } {
  if (x.source.kind !== "operation" || x.source.operation.operator.name !== "mul") return { wide: x };
  const width = x.dim(-1);
  if (typeof width !== "number" || typeof otherWidth !== "number" || width <= otherWidth) return { wide: x };
  const [a, b] = x.source.operation.inputs as [Tensor, Tensor];
  if (
    a.rank === 2 &&
    b.rank === 2 &&
    a.shape[0] === x.shape[0] &&
    a.shape[1] === x.shape[1] &&
    b.shape[0] === x.shape[0] &&
    b.shape[1] === 1
  )
    return { wide: a, scale: b };
  return { wide: x };
}

/** Rows of a matrix times a column (N, 1), or the matrix itself without one. */
function scaleRows(x: Tensor, scale: Tensor | undefined): Tensor {
  return scale === undefined ? x : mul(x, scale);
}
