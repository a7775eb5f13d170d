import type { Model } from "../models/index.ts";
import { evaluationContext, type Parameter, trainingContext } from "../nn/index.ts";
import { globalNorm } from "../optim/index.ts";
import {
  add,
  grad,
  input,
  inScope,
  mul,
  operationsOf,
  reduceSum,
  type SegmentOf,
  type Tensor,
} from "../tensor/index.ts";
import { TrainingError } from "./errors.ts";
import type { Objective } from "./objective.ts";
import { type BatchForm, traceBatch } from "./traced-batch.ts";

/** Numbers that a batch gives back. */
export type ResultName = "loss" | "gradient_norm";

/** The graph of one batch of an update. */
export interface StepGraph {
  /** Batch, parameters, sums of gradients so far (`sum/…`). */
  readonly inputs: readonly Tensor[];
  readonly results: Readonly<Record<ResultName, Tensor>>;
  /** Gradients by parameter, with those of earlier batches where they are added up. */
  readonly gradients: Readonly<Record<string, Tensor>>;
}

export interface StepGraphOptions {
  /** Whether gradients are added to those of earlier batches. Default false. */
  readonly accumulates?: boolean | undefined;
  /** Whether anything is dropped. Default true. */
  readonly dropout?: boolean | undefined;
  /** Whether the backward pass computes the inner values of layers again, instead of finding them kept. Default false. */
  readonly recomputes?: boolean | undefined;
}

/**
 * Traces forward and backward pass of one batch.
 *
 * @param trained the parameters whose gradients are wanted.
 * @throws TrainingError naming a parameter that the loss does not depend on.
 */
export function traceStep(
  model: Model,
  objective: Objective,
  form: BatchForm,
  trained: ReadonlySet<Parameter>,
  { accumulates = false, dropout = true, recomputes = false }: StepGraphOptions = {},
): StepGraph {
  const key = [input("dropout_key_a", "int32", []), input("dropout_key_b", "int32", [])] as const;
  const inverseCount = input("inverse_count", "float32", []);
  const context = dropout ? trainingContext(key) : { ...evaluationContext(), training: true };
  const batch = traceBatch(model, objective, form, context);
  const loss = inScope("loss", () =>
    reduceSum(mul(objective.trainingLosses(batch.logits, batch.labels), inverseCount)),
  );
  const parameters = model.parameters().filter((parameter) => trained.has(parameter));
  const sums = accumulates ? parameters.map(({ name, dims }) => input(`sum/${name}`, "float32", dims)) : [];
  // ONNX Runtime executes what the last-made consumer needs first. With the norm taken parameter by parameter, in the model's
  // order, it computes each gradient when its factors were just made, from the last layer to the first.
  const gradients = gradientsOf(loss, parameters, recomputes).map((gradient, index) => {
    const sum = sums[index];
    return sum === undefined ? gradient : inScope("gradient sum", () => add(sum, gradient));
  });
  return {
    inputs: [...Object.values(batch.inputs), inverseCount, ...key, ...model.parameters(), ...sums],
    results: { loss, gradient_norm: inScope("gradient norm", () => globalNorm(gradients)) },
    gradients: Object.fromEntries(parameters.map(({ name }, index) => [name, gradients[index] as Tensor])),
  };
}

function gradientsOf(loss: Tensor, parameters: readonly Parameter[], recomputes: boolean): Tensor[] {
  return grad(loss, parameters, recomputes ? { segmentOf: layers(loss) } : {}).map((gradient, index) => {
    if (gradient === undefined)
      throw new TrainingError(
        "NO_GRADIENT",
        `The loss does not depend on the parameter "${parameters[index]?.name}", so it would never be trained. Use it in forward(), or take it out of the model.`,
      );
    return gradient;
  });
}

/**
 * The layers of a model as segments: all that is computed in a module of an array of modules (`…h.3`) and its parts.
 *
 * @throws TrainingError when the model has none.
 */
function layers(loss: Tensor): SegmentOf {
  const layerOf: SegmentOf = ({ scope }) => /^.*?\.\d+(?=\.|$)/.exec(scope)?.[0];
  if (!operationsOf([loss]).some((operation) => layerOf(operation) !== undefined))
    throw new TrainingError(
      "NO_LAYERS",
      "gradientCheckpointing computes layers again, and the model has none: modules in an array that a field holds. Leave the option out.",
    );
  return layerOf;
}
