import { TensorError } from "../errors.ts";
import { CONTRIB, type Lowering, type Value } from "../lowering.ts";
import { broadcastShapes, type Shape } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { sumTo } from "./reduce.ts";

export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Factor on the product; folded into the kernel. */
  readonly scale?: number;
}

/** Shape of a product of matrices that fit. */
function productShape(a: Tensor, b: Tensor, { transposeA, transposeB }: MatmulOptions): Shape {
  const rows = a.dim(transposeA ? -1 : -2);
  const columns = b.dim(transposeB ? -2 : -1);
  return [...broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
}

/** Emits a batched product: ONNX Runtime's fused kernel where there is one, else Transpose, MatMul, Mul. */
export function lowerMatmul(
  lowering: Lowering,
  [a, b]: readonly [Value, Value],
  [left, right]: readonly [Tensor, Tensor],
  { transposeA = false, transposeB = false, scale = 1 }: MatmulOptions,
): Value {
  // Over an inner axis of length 0, ONNX Runtime's fused kernel writes the zeros of the first matrix of a batch only. It also
  // takes the place of MatMul and Mul in float64.
  if (left.dim(transposeA ? -2 : -1) === 0)
    return lowering.fill(0, left.dtype, productShape(left, right, { transposeA, transposeB }));
  if (lowering.fused(left.dtype) && !lowering.lacks("FusedMatMul"))
    return lowering.node("FusedMatMul", [a, b], {
      domain: CONTRIB,
      attributes: {
        transA: { int: transposeA ? 1 : 0 },
        transB: { int: transposeB ? 1 : 0 },
        alpha: { float: scale },
      },
    })[0];
  const swap = (value: Value, rank: number): Value => {
    const perm = [...Array(rank).keys()];
    [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
    return lowering.node("Transpose", [value], { attributes: { perm: { ints: perm } } })[0];
  };
  const [product] = lowering.node("MatMul", [
    transposeA ? swap(a, left.rank) : a,
    transposeB ? swap(b, right.rank) : b,
  ]);
  return scale === 1
    ? product
    : lowering.node("Mul", [product, lowering.constant([scale], left.dtype, [])])[0];
}

const apply = defineOperator<MatmulOptions>({
  name: "matmul",
  infer: (inputs, { transposeA = false, transposeB = false }) => {
    const [a, b] = inputs as [Tensor, Tensor];
    const fail = (): never => {
      throw new TensorError(
        "SHAPE_MISMATCH",
        `matmul: ${describe(a)}${transposeA ? " transposed" : ""} times ${describe(b)}${transposeB ? " transposed" : ""} do not fit.`,
      );
    };
    if (a.rank < 2 || b.rank < 2 || a.dtype !== b.dtype) return fail();
    if (a.dim(transposeA ? -2 : -1) !== b.dim(transposeB ? -1 : -2)) return fail();
    return [{ dtype: a.dtype, shape: productShape(a, b, { transposeA, transposeB }) }];
  },
  gradient: ({ inputs, attributes, outputGradients: [dy], needed }) => {
    const [a, b] = inputs as [Tensor, Tensor];
    if (dy === undefined) return [];
    const { transposeA = false, transposeB = false, scale = 1 } = attributes;
    const da = () =>
      transposeA
        ? matmul(b, dy, { transposeA: transposeB, transposeB: true, scale })
        : matmul(dy, b, { transposeB: !transposeB, scale });
    const db = () =>
      transposeB
        ? matmul(dy, a, { transposeA: true, transposeB: transposeA, scale })
        : matmul(a, dy, { transposeA: !transposeA, scale });
    return [needed(0) ? sumTo(da(), a.shape) : undefined, needed(1) ? sumTo(db(), b.shape) : undefined];
  },
  products: ({ inputs: [a], outputs: [y], attributes: { transposeA } }) => [
    [...(y as Tensor).shape, (a as Tensor).dim(transposeA ? -2 : -1)],
  ],
  lower: (lowering, inputs, { inputs: tensors, outputs: [y], attributes }) => {
    const [a, b] = tensors as [Tensor, Tensor];
    // Sums over nothing: the fused kernel would leave its output as the memory was.
    if (a.dim(attributes.transposeA ? -2 : -1) === 0) return [lowering.fill(0, a.dtype, (y as Tensor).shape)];
    return [lowerMatmul(lowering, inputs as [Value, Value], [a, b], attributes)];
  },
});

/** Matrix product over the last two axes, broadcasting the others: a (…, N, K), b (…, K, M) → (…, N, M). */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  return apply([a, b], options)[0];
}
