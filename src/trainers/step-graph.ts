import type { Model } from "../models/index.ts";
import { type Parameter, trainingContext } from "../nn/index.ts";
import { clipByGlobalNorm, globalNorm, type Optimizer } from "../optim/index.ts";
import {
  add,
  concat,
  grad,
  input,
  inScope,
  mul,
  reduceSum,
  reshape,
  sizeOf,
  sub,
  type Tensor,
} from "../tensor/index.ts";
import { TrainingError } from "./errors.ts";
import type { Objective } from "./objective.ts";
import { type BatchForm, traceBatch } from "./traced-batch.ts";
import { prefixed, type UpdateUnit } from "./weights.ts";

export interface StepGraphOptions {
  readonly model: Model;
  readonly optimizer: Optimizer;
  /** Largest global norm of the gradient; 0 leaves it as it is. Default 0. */
  readonly maxGradNorm?: number;
}

/** Numbers that an update gives back. */
export type ResultName = "loss" | "gradient_norm";

/** The graph of one batch of an update. */
export interface StepGraph {
  /** What every forward pass reads: batch, parameters, sums of gradients so far. */
  readonly inputs: readonly Tensor[];
  /** What the update reads besides: the optimizer's numbers and state. */
  readonly stateInputs: readonly Tensor[];
  readonly results: Readonly<Record<ResultName, Tensor>>;
  /** Units and their optimizer state after the update: `next/unit`, `next/slot/unit`. */
  readonly updated: Readonly<Record<string, Tensor>>;
  /** Sums of gradients with this batch's added: `next/sum/unit`. */
  readonly sums: Readonly<Record<string, Tensor>>;
}

/**
 * Traces forward pass, backward pass, clipping and update.
 *
 * @param accumulates whether gradients are added to those of earlier batches.
 * @throws TrainingError naming a parameter that the loss does not depend on.
 */
export function traceStep(
  options: StepGraphOptions,
  objective: Objective,
  form: BatchForm,
  units: readonly UpdateUnit[],
  accumulates: boolean,
): StepGraph {
  const { model, optimizer, maxGradNorm = 0 } = options;
  const key = [input("dropout_key_a", "int32", []), input("dropout_key_b", "int32", [])] as const;
  const inverseCount = input("inverse_count", "float32", []);
  const batch = traceBatch(model, objective, form, trainingContext(key));
  const loss = inScope("loss", () =>
    reduceSum(mul(objective.trainingLosses(batch.logits, batch.labels), inverseCount)),
  );

  const trained = units.flatMap(({ parameters }) => parameters);
  const isTrained = new Set(trained);
  // In the model's order: it decides the order in which gradients are computed.
  const perParameter = gradientsOf(
    loss,
    model.parameters().filter((parameter) => isTrained.has(parameter)),
  );
  const sumInputs = accumulates ? units.map(({ name, shape }) => input(`sum/${name}`, "float32", shape)) : [];
  const optimizing = <Result>(build: () => Result): Result => inScope("optimizer", build);
  const gradients = optimizing(() =>
    units.map((unit, index) => {
      const gradient = joined(unit, (parameter) => perParameter.get(parameter) as Tensor);
      const sum = sumInputs[index];
      return sum === undefined ? gradient : add(sum, gradient);
    }),
  );
  // ONNX Runtime executes what the last-made consumer needs first. Taking the norm parameter by parameter makes it compute
  // each gradient when its factors were just made, from the last layer to the first; over the joined vectors it would run
  // the whole backward pass for those first and come back to the matrices with cold caches (and everything still in memory).
  const norm = optimizing(() => globalNorm(accumulates ? gradients : [...perParameter.values()]));
  const clipped =
    maxGradNorm > 0 ? optimizing(() => clipByGlobalNorm(gradients, norm, maxGradNorm)) : gradients;

  const scalars = Object.fromEntries(
    optimizer.scalars.map((name) => [name, input(`optimizer/${name}`, "float32", [])]),
  );
  const stateInputs: Tensor[] = Object.values(scalars);
  const updated: Record<string, Tensor> = {};
  for (const [index, unit] of units.entries()) {
    const parameter = unitInput(unit);
    if (parameter !== unit.parameters[0]) stateInputs.push(parameter);
    const slots = Object.fromEntries(
      optimizer.slots.map((slot) => [slot, input(`${slot}/${unit.name}`, "float32", unit.shape)]),
    );
    stateInputs.push(...Object.values(slots));
    const next = optimizing(() => {
      const update = optimizer.update({
        parameter,
        decays: unit.decays,
        gradient: clipped[index] as Tensor,
        slots,
        scalars,
      });
      return { ...update, parameter: scaled(parameter, update.parameter, unit.learningRateScale) };
    });
    updated[unit.name] = next.parameter;
    Object.assign(
      updated,
      Object.fromEntries(optimizer.slots.map((slot) => [`${slot}/${unit.name}`, next.slots[slot] as Tensor])),
    );
  }
  return {
    inputs: [...Object.values(batch.inputs), inverseCount, ...key, ...model.parameters(), ...sumInputs],
    stateInputs,
    results: { loss, gradient_norm: norm },
    updated: prefixed("next", updated),
    sums: prefixed(
      "next/sum",
      Object.fromEntries(units.map(({ name }, index) => [name, gradients[index] as Tensor])),
    ),
  };
}

/** The update of a parameter with a learning rate of its own: a share of the change, which every optimizer's is linear in. */
function scaled(before: Tensor, after: Tensor, scale: number): Tensor {
  return scale === 1 ? after : add(before, mul(sub(after, before), scale));
}

function gradientsOf(loss: Tensor, parameters: readonly Parameter[]): ReadonlyMap<Parameter, Tensor> {
  const gradients = grad(loss, parameters);
  return new Map(
    parameters.map((parameter, index) => {
      const gradient = gradients[index];
      if (gradient === undefined)
        throw new TrainingError(
          "NO_GRADIENT",
          `The loss does not depend on the parameter "${parameter.name}", so it would never be trained. Use it in forward(), or take it out of the model.`,
        );
      return [parameter, gradient];
    }),
  );
}

/** A unit's memory as one input: the parameter itself where it is alone. */
function unitInput({ name, parameters, shape }: UpdateUnit): Tensor {
  const [first] = parameters;
  return first?.name === name ? first : input(name, "float32", shape);
}

function joined({ name, parameters }: UpdateUnit, tensorOf: (parameter: Parameter) => Tensor): Tensor {
  const [first] = parameters;
  if (first?.name === name) return tensorOf(first);
  return concat(
    parameters.map((parameter) => reshape(tensorOf(parameter), [sizeOf(parameter.shape)])),
    0,
  );
}
