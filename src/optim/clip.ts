import { add, concat, div, minimum, mul, reduceSum, reshape, sqrt, sumOfSquares, type Tensor } from "../tensor/index.ts";

/** √Σ g² over all elements of all gradients, shape (). */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  const squares = gradients.map((gradient) => reshape(sumOfSquares(gradient), [1]));
  return sqrt(reduceSum(concat(squares, 0)));
}

/** Scales all gradients by min(1, maxNorm / (norm + 10⁻⁶)), as PyTorch's `clip_grad_norm_` does. */
export function clipByGlobalNorm(gradients: readonly Tensor[], norm: Tensor, maxNorm: number): readonly Tensor[] {
  const factor = minimum(div(maxNorm, add(norm, 1e-6)), 1);
  return gradients.map((gradient) => mul(gradient, factor));
}
