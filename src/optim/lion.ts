import { add, mul, sign, sub, type Tensor } from "../tensor/index.ts";
import type { Optimizer } from "./optimizer.ts";

export interface LionOptions {
  /** Share of the momentum in the direction of an update. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the momentum. Default 0.99. */
  readonly beta2?: number;
  /** Decoupled decay of matrices. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Lion (Chen et al. 2023, algorithm 2): every element moves by the learning rate, in the direction of the sign. It takes a
 * rate 3 to 10 times smaller than AdamW's, a decay as many times larger, and half of AdamW's memory.
 *
 * θ' = (1 − ηλ)θ − η·sign(β₁M + (1 − β₁)g), M' = β₂M + (1 − β₂)g.
 */
export function lion({ beta1 = 0.9, beta2 = 0.99, weightDecay = 0 }: LionOptions = {}): Optimizer {
  return {
    weightDecay,
    slots: ["momentum"],
    scalars: ["rate", "keep"],
    scalarValues: ({ learningRate, weightDecay: decay }) => ({
      rate: learningRate,
      keep: 1 - learningRate * decay,
    }),
    update: ({ parameter, decays, gradient, slots, scalars }) => {
      const { rate, keep } = scalars as Record<"rate" | "keep", Tensor>;
      const before = slots.momentum as Tensor;
      const direction = sign(add(mul(before, beta1), mul(gradient, 1 - beta1)));
      const momentum = add(mul(before, beta2), mul(gradient, 1 - beta2));
      const decayed = decays ? mul(parameter, keep) : parameter;
      return { parameter: sub(decayed, mul(direction, rate)), slots: { momentum } };
    },
  };
}
