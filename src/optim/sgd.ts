import { add, mul, sub, type Tensor } from "../tensor/index.ts";
import type { Optimizer } from "./optimizer.ts";

export interface SgdOptions {
  /** Share of the last change that is made again. Default 0: no memory of earlier gradients, and no state. */
  readonly momentum?: number;
  /** Share of a gradient that momentum leaves out. Default 0. */
  readonly dampening?: number;
  /** Nesterov's momentum, which looks one step ahead; it needs a momentum, and no dampening. Default false. */
  readonly nesterov?: boolean;
  /** L2 penalty of matrices: λθ is added to the gradient. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013), as PyTorch's `torch.optim.SGD`: the momentum is a
 * sum of gradients, not of changes, and weight decay goes through it.
 *
 * g' = g + λθ, M' = μM + (1 − τ)g' (g' at the first update), θ' = θ − η·M', with Nesterov's momentum θ' = θ − η·(g' + μM').
 *
 * @throws RangeError when Nesterov's momentum has no momentum, or dampening.
 */
export function sgd({
  momentum = 0,
  dampening = 0,
  nesterov = false,
  weightDecay = 0,
}: SgdOptions = {}): Optimizer {
  if (nesterov && (momentum === 0 || dampening !== 0))
    throw new RangeError(
      `nesterov needs a momentum above 0 and a dampening of 0; got ${momentum} and ${dampening}.`,
    );
  return {
    weightDecay,
    slots: momentum === 0 ? [] : ["momentum"],
    scalars: ["rate", "decay", "share"],
    scalarValues: ({ step, learningRate, weightDecay: decay }) => ({
      rate: learningRate,
      decay,
      share: step === 1 ? 1 : 1 - dampening,
    }),
    update: ({ parameter, decays, gradient, slots, scalars }) => {
      const { rate, decay, share } = scalars as Record<"rate" | "decay" | "share", Tensor>;
      const slope = decays ? add(gradient, mul(parameter, decay)) : gradient;
      if (momentum === 0) return { parameter: sub(parameter, mul(slope, rate)), slots: {} };
      const fresh = dampening === 0 ? slope : mul(slope, share);
      const sum = add(mul(slots.momentum as Tensor, momentum), fresh);
      const change = nesterov ? add(slope, mul(sum, momentum)) : sum;
      return { parameter: sub(parameter, mul(change, rate)), slots: { momentum: sum } };
    },
  };
}
