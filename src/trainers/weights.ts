import type { Model } from "../models/index.ts";
import type { Optimizer } from "../optim/index.ts";
import { type HostTensor, TensorBuffer } from "../runtime/index.ts";
import { mix32, Random } from "../tensor/index.ts";
import { TrainingError } from "./errors.ts";

/** Float32 buffers by name. */
export type Weights = Readonly<Record<string, TensorBuffer<"float32">>>;

/** Name of an optimizer's state tensor. */
export function slotName(slot: string, parameter: string): string {
  return `${slot}/${parameter}`;
}

/**
 * First values of a model's parameters. Each draws from a stream of its own, given by the seed and its name, so that a
 * parameter's values do not depend on which others the model has.
 */
export function initialWeights(model: Model, seed: number): Weights {
  const weights: Record<string, TensorBuffer<"float32">> = {};
  for (const parameter of model.parameters()) {
    if (parameter.name === "" || parameter.name in weights)
      throw new TrainingError(
        "PARAMETER_NAME",
        `The model's parameters need names of their own; got "${parameter.name}"${parameter.name === "" ? "" : " twice"}.`,
      );
    const buffer = new TensorBuffer({ dtype: "float32", shape: parameter.dims });
    parameter.initialize(buffer.data, new Random(seed, mix32(...new TextEncoder().encode(parameter.name))));
    weights[parameter.name] = buffer;
  }
  return weights;
}

/**
 * Buffers with a checkpoint's numbers for each of the model's parameters.
 *
 * @throws TrainingError naming the first parameter that is missing or has another shape.
 */
export function loadedWeights(model: Model, tensors: ReadonlyMap<string, HostTensor>): Weights {
  const weights: Record<string, TensorBuffer<"float32">> = {};
  for (const { name, dims } of model.parameters()) {
    const tensor = tensors.get(name);
    if (tensor === undefined || tensor.dtype !== "float32" || tensor.shape.join() !== dims.join())
      throw new TrainingError(
        "WEIGHTS_MISMATCH",
        `The model's parameter "${name}" is float32 (${dims.join(", ")}); the checkpoint has ${tensor ? `${tensor.dtype} (${tensor.shape.join(", ")})` : "no such tensor"}.`,
      );
    weights[name] = new TensorBuffer({ dtype: "float32", shape: dims, data: tensor.data as Float32Array });
  }
  return weights;
}

/** Zeros for every slot of every parameter. */
export function initialSlots(model: Model, optimizer: Optimizer): Weights {
  return Object.fromEntries(
    optimizer.slots.flatMap((slot) =>
      model
        .parameters()
        .map(({ name, dims }) => [slotName(slot, name), new TensorBuffer({ dtype: "float32", shape: dims })]),
    ),
  );
}

/** Buffers of the same names and shapes, holding zeros. */
export function emptyLike(weights: Weights): Weights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { dtype, shape }]) => [name, new TensorBuffer({ dtype, shape })]),
  );
}
