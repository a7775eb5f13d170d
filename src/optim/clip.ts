import { add, div, minimum, mul, sqrt, sumOfSquares, type Tensor } from "../tensor/index.ts";

/** √Σ g² over all elements of all gradients, shape (). */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  return sqrt(sumOfSquares(gradients));
}

/** Scales all gradients by min(1, maxNorm / (norm + 10⁻⁶)), as PyTorch's `clip_grad_norm_` does. */
export function clipByGlobalNorm(
  gradients: readonly Tensor[],
  norm: Tensor,
  maxNorm: number,
): readonly Tensor[] {
  const factor = minimum(div(maxNorm, add(norm, 1e-6)), 1);
  return gradients.map((gradient) => mul(gradient, factor));
}

/** The factor of {@link clipByGlobalNorm} for a norm that is known, rounded to float32 at each operation as in a graph. */
export function clipFactor(norm: number, maxNorm: number): number {
  return Math.min(1, Math.fround(Math.fround(maxNorm) / Math.fround(norm + Math.fround(1e-6))));
}
