import { add, div, mul, sqrt, sub, type Tensor } from "../tensor/index.ts";
import type { Optimizer } from "./optimizer.ts";

export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Decoupled decay of matrices; biases and norms (rank below 2) have none. */
  readonly weightDecay?: number;
}

/**
 * AdamW (Loshchilov & Hutter 2019, algorithm 2) with bias correction, as PyTorch's `torch.optim.AdamW`.
 *
 * The slots hold m/(1 − β₁) and v/(1 − β₂): two multiplications a parameter fewer. Bias corrections and the factor that
 * this scaling needs are folded into the fed numbers:
 * θ' = (1 − ηλ)·θ − rate · M / (√V + ε'), rate = η(1 − β₁)/(1 − β₁ᵗ)·k, ε' = ε·k, k = √((1 − β₂ᵗ)/(1 − β₂)).
 */
export function adamW({
  beta1 = 0.9,
  beta2 = 0.95,
  epsilon = 1e-8,
  weightDecay = 0.1,
}: AdamWOptions = {}): Optimizer {
  return {
    weightDecay,
    slots: ["momentum", "variance"],
    scalars: ["rate", "epsilon", "keep"],
    scalarValues: ({ step, learningRate, weightDecay: decay }) => {
      const k = Math.sqrt((1 - beta2 ** step) / (1 - beta2));
      return {
        rate: ((learningRate * (1 - beta1)) / (1 - beta1 ** step)) * k,
        epsilon: epsilon * k,
        keep: 1 - learningRate * decay,
      };
    },
    update: ({ parameter, decays, gradient, slots, scalars }) => {
      const { rate, epsilon: floor, keep } = scalars as Record<"rate" | "epsilon" | "keep", Tensor>;
      const momentum = add(mul(slots.momentum as Tensor, beta1), gradient);
      const variance = add(mul(slots.variance as Tensor, beta2), mul(gradient, gradient));
      const change = mul(div(momentum, add(sqrt(variance), floor)), rate);
      const decayed = decays ? mul(parameter, keep) : parameter;
      return { parameter: sub(decayed, change), slots: { momentum, variance } };
    },
  };
}
