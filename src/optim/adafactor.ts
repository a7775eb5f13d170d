import {
  add,
  div,
  matmul,
  maximum,
  mul,
  reduceSum,
  sizeOf,
  sqrt,
  sub,
  sumOfSquares,
  type Tensor,
} from "../tensor/index.ts";
import type { Optimizer, UpdateRequest, UpdateRule } from "./optimizer.ts";

export interface AdafactorOptions {
  /** Exponent τ of the share tᵗᵃᵘ that the gradient of update t has in the mean of squares. Default −0.8. */
  readonly beta2Decay?: number;
  /** Smallest root of a mean of squares. Default: the distance from 1 to the next float32. */
  readonly epsilon1?: number;
  /** Smallest size of a parameter that its changes are relative to. Default 10⁻³. */
  readonly epsilon2?: number;
  /** Largest root mean square of a change, before the learning rate. Default 1. */
  readonly d?: number;
  /** Decoupled decay of matrices. Default 0. */
  readonly weightDecay?: number;
}

const FLOAT32_EPSILON = 2 ** -23;

/**
 * Adafactor (Shazeer & Stern 2018) as PyTorch's `torch.optim.Adafactor` has it: no momentum; of a matrix's mean of squared
 * gradients only the means of its rows and columns are kept; changes are relative to the size of the parameter, and the
 * learning rate is their upper bound, min(η, 1/√t).
 *
 * θ' = (1 − ηλ)θ − max(ε₂, RMS(θ))·min(η, 1/√t) · U / max(1, RMS(U)/d), U = g / √max(V, ε₁²), V = R·C / max(mean(R), ε₁).
 */
export function adafactor({
  beta2Decay = -0.8,
  epsilon1 = FLOAT32_EPSILON,
  epsilon2 = 1e-3,
  d = 1,
  weightDecay = 0,
}: AdafactorOptions = {}): Optimizer {
  const finish = ({ parameter, decays, gradient, scalars }: UpdateRequest, variance: Tensor): Tensor => {
    const change = div(gradient, sqrt(maximum(variance, epsilon1 ** 2)));
    const size = mul(maximum(rootMeanSquare(parameter), epsilon2), scalars.rate as Tensor);
    const clipped = div(size, maximum(mul(rootMeanSquare(change), 1 / d), 1));
    return sub(decays ? mul(parameter, scalars.keep as Tensor) : parameter, mul(change, clipped));
  };
  const factored: UpdateRule = {
    perParameter: true,
    slots: ["row_variance", "column_variance"],
    slotShape: (slot, shape) =>
      shape.map((length, axis) => (axis === shape.length - (slot === "row_variance" ? 1 : 2) ? 1 : length)),
    update: (request) => {
      const { gradient, slots, scalars } = request;
      const fresh = scalars.fresh as Tensor;
      const squares = mul(gradient, gradient);
      const rows = towards(slots.row_variance as Tensor, mean(squares, -1), fresh);
      const columns = towards(slots.column_variance as Tensor, mean(squares, -2), fresh);
      const variance = matmul(div(rows, maximum(mean(rows, -2), epsilon1)), columns);
      return {
        parameter: finish(request, variance),
        slots: { row_variance: rows, column_variance: columns },
      };
    },
  };
  return {
    weightDecay,
    perParameter: true,
    slots: ["variance"],
    scalars: ["rate", "fresh", "keep"],
    scalarValues: ({ step, learningRate, weightDecay: decay }) => ({
      rate: Math.min(learningRate, 1 / Math.sqrt(step)),
      fresh: step ** beta2Decay,
      keep: 1 - learningRate * decay,
    }),
    ruleFor: ({ shape }) => (shape.length > 1 ? factored : undefined),
    update: (request) => {
      const { gradient, slots, scalars } = request;
      const variance = towards(slots.variance as Tensor, mul(gradient, gradient), scalars.fresh as Tensor);
      return { parameter: finish(request, variance), slots: { variance } };
    },
  };
}

/** `share` of the way from `before` to `target`. */
function towards(before: Tensor, target: Tensor, share: Tensor): Tensor {
  return add(before, mul(sub(target, before), share));
}

/** Mean along an axis, which stays with length 1. */
function mean(x: Tensor, axis: number): Tensor {
  return mul(reduceSum(x, { axes: [axis], keepDims: true }), 1 / (x.dim(axis) as number));
}

function rootMeanSquare(x: Tensor): Tensor {
  return sqrt(mul(sumOfSquares([x]), 1 / (sizeOf(x.shape) as number)));
}
