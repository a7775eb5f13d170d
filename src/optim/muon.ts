import { add, div, matmul, maximum, mul, sqrt, sub, sumOfSquares, type Tensor } from "../tensor/index.ts";
import { type AdamWOptions, adamW } from "./adamw.ts";
import type { Optimizer, ParameterForm, UpdateRule } from "./optimizer.ts";

export interface MuonOptions {
  /** Decay of the mean of gradients. Default 0.95. */
  readonly momentum?: number;
  /** Nesterov's momentum, which looks one step ahead. Default true. */
  readonly nesterov?: boolean;
  /** Newton-Schulz iterations. Default 5. */
  readonly nsSteps?: number;
  /** a, b and c of an iteration. Default: 3.4445, −4.775, 2.0315, which grow small singular values fastest. */
  readonly nsCoefficients?: readonly [number, number, number];
  /** Smallest norm that a momentum is divided by. Default 10⁻⁷. */
  readonly epsilon?: number;
  /** Factor of the learning rate by the shape of a matrix: see {@link shapeFactor}. Default `match_rms_adamw`. */
  readonly adjustLrFn?: AdjustLrFn;
  /** Decoupled decay of matrices. Default 0.1. */
  readonly weightDecay?: number;
  /** Which matrices it updates. Default: all; but embeddings and the head learn better with AdamW, as vectors do. */
  readonly matrices?: (parameter: ParameterForm) => boolean;
  /** For all other parameters. */
  readonly adamW?: Omit<AdamWOptions, "weightDecay">;
}

export type AdjustLrFn = "original" | "match_rms_adamw" | "spectral_unclamped";

/**
 * Muon (Jordan et al. 2024) as PyTorch's `torch.optim.Muon`: the mean of a matrix's gradients, with all singular values
 * brought near 1. All but the chosen matrices are updated with AdamW, at the same learning rate.
 *
 * M' = μM + (1 − μ)g, B = (1 − μ)g + μM' with Nesterov's momentum, else M'; θ' = (1 − ηλ)θ − η·factor·NewtonSchulz(B).
 * The iteration runs in float32, where PyTorch rounds to bfloat16.
 */
export function muon({
  momentum = 0.95,
  nesterov = true,
  nsSteps = 5,
  nsCoefficients = [3.4445, -4.775, 2.0315],
  epsilon = 1e-7,
  adjustLrFn = "match_rms_adamw",
  weightDecay = 0.1,
  matrices = () => true,
  adamW: others,
}: MuonOptions = {}): Optimizer {
  const rest = adamW({ ...others, weightDecay });
  const orthogonal: UpdateRule = {
    perParameter: true,
    slots: ["momentum"],
    update: ({ parameter, decays, gradient, slots, scalars }) => {
      const { learning_rate: rate, keep } = scalars as Record<"learning_rate" | "keep", Tensor>;
      const fresh = mul(gradient, 1 - momentum);
      const average = add(mul(slots.momentum as Tensor, momentum), fresh);
      const direction = nesterov ? add(fresh, mul(average, momentum)) : average;
      const change = newtonSchulz(direction, nsCoefficients, nsSteps, epsilon);
      const factor = shapeFactor(adjustLrFn, parameter.shape as readonly number[]);
      const decayed = decays ? mul(parameter, keep) : parameter;
      return {
        parameter: sub(decayed, mul(change, mul(rate, factor))),
        slots: { momentum: average },
      };
    },
  };
  return {
    ...rest,
    scalars: [...rest.scalars, "learning_rate"],
    scalarValues: (update) => ({ ...rest.scalarValues(update), learning_rate: update.learningRate }),
    ruleFor: (parameter) => (parameter.shape.length === 2 && matrices(parameter) ? orthogonal : undefined),
  };
}

/**
 * What the learning rate of a matrix of n rows (outputs) and m columns (inputs) is multiplied by:
 * `match_rms_adamw` 0.2·√max(n, m) makes changes as large as AdamW's, so that its learning rates fit (Liu et al. 2025);
 * `original` √max(1, n/m) (Jordan et al. 2024); `spectral_unclamped` √(n/m) (Bernstein 2025).
 */
function shapeFactor(adjustLrFn: AdjustLrFn, [rows = 1, columns = 1]: readonly number[]): number {
  if (adjustLrFn === "match_rms_adamw") return 0.2 * Math.sqrt(Math.max(rows, columns));
  return Math.sqrt(adjustLrFn === "original" ? Math.max(1, rows / columns) : rows / columns);
}

/** X ← aX + (bA + cA²)X with A = XXᵀ, from X = G/‖G‖: singular values move towards 1, singular vectors stay. */
function newtonSchulz(
  gradient: Tensor,
  [a, b, c]: readonly [number, number, number],
  steps: number,
  epsilon: number,
): Tensor {
  // The smaller of the two squares: (XXᵀ)X = X(XᵀX).
  const isTall = (gradient.dim(0) as number) > (gradient.dim(1) as number);
  let x = div(gradient, maximum(sqrt(sumOfSquares([gradient])), epsilon));
  for (let step = 0; step < steps; step++) {
    const square = matmul(x, x, isTall ? { transposeA: true } : { transposeB: true });
    const polynomial = add(mul(square, b), matmul(square, square, { scale: c }));
    x = add(mul(x, a), isTall ? matmul(x, polynomial) : matmul(polynomial, x));
  }
  return x;
}
