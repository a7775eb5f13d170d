import { TensorError } from "../errors.ts";
import type { Dim } from "../shape.ts";
import { defineOperator, describe, type Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { broadcastTo } from "./reduce.ts";
import { reshape } from "./reshape.ts";

const apply = defineOperator<undefined>({
  name: "columnSum",
  infer: ([x, weights]) => {
    const { dtype, shape } = x as Tensor;
    const [rows, columns] = shape;
    if (shape.length !== 2 || rows === undefined || columns === undefined)
      throw new TensorError(
        "SHAPE_MISMATCH",
        `columnSum: needs a matrix (N, M); got ${describe(x as Tensor)}.`,
      );
    if (weights && (weights.shape[0] !== rows || weights.shape[1] !== 1))
      throw new TensorError(
        "SHAPE_MISMATCH",
        `columnSum: weights of ${describe(x as Tensor)} must be (${rows}, 1); got ${describe(weights)}.`,
      );
    return [{ dtype, shape: [columns] }];
  },
  gradient: ({ inputs, outputGradients: [dy] }) => {
    const [x, weights] = inputs as [Tensor, Tensor | undefined];
    if (dy === undefined) return [];
    const rows = broadcastTo(dy, x.shape);
    if (weights === undefined) return [rows];
    throw new TensorError(
      "NOT_DIFFERENTIABLE",
      "columnSum: a weighted sum arises only in gradients and has none itself.",
    );
  },
  lower: (lowering, [x, weights], { inputs, outputs }) => {
    const [tensor] = inputs as [Tensor];
    const rows = tensor.shape[0] ?? 1;
    // A product with a row of ones runs on the GEMM kernel, which beats ReduceSum over the first axis (67 to 62 ms a
    // step on the small model, engine.md), and a row (1, N) beats a vector (N): 1.4 against 3.7 ms for its 34 sums.
    const row = weights
      ? lowering.node("Reshape", [weights, lowering.shapeVector([1, rows])])[0]
      : lowering.fill(1, tensor.dtype, [1, rows]);
    const [sums] = lowering.node("MatMul", [row, x]);
    return lowering.node("Reshape", [sums, lowering.shapeVector((outputs[0] as Tensor).shape)]);
  },
});

/** Σₙ wₙ · x[n, m] over the rows of a matrix (N, M), with weights (N, 1) or all one: shape (M). */
export function columnSum(x: Tensor, weights?: Tensor): Tensor {
  return apply(weights ? [x, weights] : [x], undefined)[0];
}

/**
 * Writes `x` as `wide · scale` with scale (N, 1) if that is how it was made and x is wider than what it is multiplied with:
 * the product can then scale its narrow side instead of a (N, vocabulary) array.
 */
export function factorRowScale(
  x: Tensor,
  otherWidth: Dim,
): { readonly wide: Tensor; readonly scale?: Tensor } {
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
export function scaleRows(x: Tensor, scale: Tensor | undefined): Tensor {
  return scale === undefined ? x : mul(x, reshape(scale, [x.dim(0), 1]));
}
