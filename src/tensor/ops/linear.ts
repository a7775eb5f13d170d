import { TensorError } from "../errors.ts";
import type { Lowering, Value } from "../lowering.ts";
import { type Dim, type Shape, sizeOf } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { columnSum } from "./column-sum.ts";
import { reshape } from "./reshape.ts";

interface GemmAttributes {
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
}

const apply = defineOperator<GemmAttributes>({
  name: "gemm",
  infer: (inputs, { transA, transB }) => {
    const [a, b, c] = inputs as [Tensor, Tensor, Tensor | undefined];
    const fail = (): never => {
      const bias = c ? `, bias ${describe(c)}` : "";
      throw new TensorError(
        "SHAPE_MISMATCH",
        `linear: ${describe(a)} times ${describe(b)}${transB ? " transposed" : ""}${bias} do not fit.`,
      );
    };
    if (a.rank !== 2 || b.rank !== 2 || a.dtype !== b.dtype) return fail();
    const [rows, inner] = transA ? [a.dim(1), a.dim(0)] : [a.dim(0), a.dim(1)];
    const [other, columns] = transB ? [b.dim(1), b.dim(0)] : [b.dim(0), b.dim(1)];
    if (inner !== other || (c && (c.rank !== 1 || c.dim(0) !== columns || c.dtype !== a.dtype)))
      return fail();
    return [{ dtype: a.dtype, shape: [rows, columns] }];
  },
  gradient: ({ inputs, attributes, outputGradients: [dy], needed }) => {
    const [a, b, c] = inputs as [Tensor, Tensor, Tensor | undefined];
    if (dy === undefined) return [];
    const { transA, transB, alpha } = attributes;
    // dY = wide · scale: scaling A and the result (N, K) costs less than scaling dY (N, M) when M is the vocabulary.
    const { wide, scale } = transA ? { wide: dy, scale: undefined } : factorRowScale(dy, a.dim(1));
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
  lower: (lowering, [a, b, c], { attributes: { transA, transB, alpha }, inputs, outputs }) => {
    const turned = transA && isWorthTurning(inputs[0] as Tensor, outputs[0] as Tensor);
    const first = turned ? lowerTransposed(lowering, a as Value, inputs[0] as Tensor) : (a as Value);
    return lowering.node("Gemm", [first, b, c], {
      attributes: {
        transA: { int: transA && !turned ? 1 : 0 },
        transB: { int: transB ? 1 : 0 },
        alpha: { float: alpha },
      },
    });
  },
});

/**
 * ONNX Runtime's product with a transposed first factor (a weight's gradient, xᵀ · dy) reaches 140 GFLOP/s where the plain one
 * has 195 (2048 × 384 × 1536, Zen 4). A pass that transposes is quicker where the other sides are long enough.
 */
function isWorthTurning(a: Tensor, product: Tensor): boolean {
  const [rows, columns, other] = [a.dim(0), a.dim(1), product.dim(1)];
  if (typeof rows !== "number" || typeof columns !== "number" || typeof other !== "number") return false;
  return rows >= 256 && other >= 256 && columns <= 8 * other;
}

/** The transpose of a matrix. In two dimensions ONNX Runtime would fold it back into the product; in three it does not. */
function lowerTransposed(lowering: Lowering, x: Value, { shape: [rows, columns] }: Tensor): Value {
  const reshaped = (value: Value, shape: Shape) =>
    lowering.node("Reshape", [value, lowering.shapeVector(shape)])[0];
  const [turned] = lowering.node("Transpose", [reshaped(x, [rows as Dim, 1, columns as Dim])], {
    attributes: { perm: { ints: [1, 2, 0] } },
  });
  return reshaped(turned, [columns as Dim, rows as Dim]);
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
  const rows = reshape(x, [sizeOf(x.shape.slice(0, -1)), x.dim(-1)]);
  const y = gemm(rows, weight, { transB: options.transposed ?? false }, bias);
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
