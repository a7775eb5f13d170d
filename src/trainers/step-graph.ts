import type { Model } from "../models/index.ts";
import { trainingContext } from "../nn/index.ts";
import { clipByGlobalNorm, globalNorm, type Optimizer } from "../optim/index.ts";
import { add, grad, input, mul, reduceSum, type Tensor } from "../tensor/index.ts";
import { traceCausal } from "./causal-graph.ts";
import { TrainingError } from "./errors.ts";
import { slotName } from "./weights.ts";

export interface StepGraphOptions {
  readonly model: Model;
  readonly optimizer: Optimizer;
  /** Sequences of one forward pass, B. */
  readonly batchSize: number;
  /** Tokens of a sequence, T. */
  readonly sequenceLength: number;
  /** Largest global norm of the gradient; 0 leaves it as it is. */
  readonly maxGradNorm: number;
}

/** Outputs are named apart from the inputs that they replace at the next update. */
export function renamed<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [`next/${name}`, value]));
}

/** The graph of one batch of an update. */
export interface StepGraph {
  /** What every forward pass reads: batch, parameters, sums of gradients so far. */
  readonly inputs: readonly Tensor[];
  /** What the update reads besides: the optimizer's numbers and state. */
  readonly stateInputs: readonly Tensor[];
  readonly results: Readonly<Record<"loss" | "gradient_norm", Tensor>>;
  /** Parameters and optimizer state after the update. */
  readonly updated: Readonly<Record<string, Tensor>>;
  /** Sums of gradients with this batch's added. */
  readonly sums: Readonly<Record<string, Tensor>>;
}

/**
 * Traces forward pass, backward pass, clipping and update.
 *
 * @param accumulates whether gradients are added to those of earlier batches.
 * @throws TrainingError naming a parameter that the loss does not depend on.
 */
export function traceStep(options: StepGraphOptions, accumulates: boolean): StepGraph {
  const { model, optimizer, batchSize, sequenceLength, maxGradNorm } = options;
  const key = [input("dropout_key_a", "int32", []), input("dropout_key_b", "int32", [])] as const;
  const inverseCount = input("inverse_count", "float32", []);
  const { inputIds, labels, losses } = traceCausal(model, batchSize, sequenceLength, trainingContext(key));
  const loss = reduceSum(mul(losses, inverseCount));

  const parameters = model.parameters();
  const sumInputs = accumulates ? parameters.map(({ name, shape }) => input(slotName("sum", name), "float32", shape)) : [];
  const gradients = grad(loss, parameters).map((gradient, index) => {
    if (gradient === undefined)
      throw new TrainingError(
        "NO_GRADIENT",
        `The loss does not depend on the parameter "${parameters[index]?.name}", so it would never be trained. Use it in forward(), or take it out of the model.`,
      );
    const sum = sumInputs[index];
    return sum === undefined ? gradient : add(sum, gradient);
  });
  const norm = globalNorm(gradients);
  const clipped = maxGradNorm > 0 ? clipByGlobalNorm(gradients, norm, maxGradNorm) : gradients;

  const scalars = Object.fromEntries(optimizer.scalars.map((name) => [name, input(name, "float32", [])]));
  const stateInputs: Tensor[] = [];
  const updated: Record<string, Tensor> = {};
  for (const [index, parameter] of parameters.entries()) {
    const slots = Object.fromEntries(
      optimizer.slots.map((slot) => [slot, input(slotName(slot, parameter.name), "float32", parameter.shape)]),
    );
    stateInputs.push(...Object.values(slots));
    const next = optimizer.update({ parameter, gradient: clipped[index] as Tensor, slots, scalars });
    updated[parameter.name] = next.parameter;
    for (const slot of optimizer.slots) updated[slotName(slot, parameter.name)] = next.slots[slot] as Tensor;
  }
  const fed = [inputIds, labels, inverseCount, ...key];
  return {
    inputs: [...fed, ...parameters, ...sumInputs],
    stateInputs: [...Object.values(scalars), ...stateInputs],
    results: { loss, gradient_norm: norm },
    updated: renamed(updated),
    sums: renamed(Object.fromEntries(parameters.map(({ name }, index) => [slotName("sum", name), gradients[index] as Tensor]))),
  };
}
