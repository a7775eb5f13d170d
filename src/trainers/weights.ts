import type { Model } from "../models/index.ts";
import { allocate, type Device, type HostTensor, TensorBuffer } from "../runtime/index.ts";
import { mix32, Random } from "../tensor/index.ts";
import { TrainingError } from "./errors.ts";

/** Float32 buffers by name. */
export type Weights = Readonly<Record<string, TensorBuffer<"float32">>>;

/** Zeros for every parameter of a model, or for those of these names; on a device, memory that is still to be written. */
export function allocateWeights(
  model: Model,
  among: (name: string) => boolean = () => true,
  device?: Device,
): Weights {
  return Object.fromEntries(
    model
      .parameters()
      .filter(({ name }) => among(name))
      .map(({ name, dims }) => [name, new TensorBuffer({ dtype: "float32", shape: dims, device })]),
  );
}

/**
 * Draws first values for a model's parameters. Each draws from a stream of its own, given by the seed and its name, so that
 * a parameter's values do not depend on which others the model has.
 */
export function initialize(model: Model, weights: Weights, seed: number): void {
  for (const parameter of model.parameters()) {
    const buffer = weights[parameter.name];
    if (buffer === undefined) continue;
    const random = new Random(seed, mix32(...new TextEncoder().encode(parameter.name)));
    if (buffer.device === undefined) parameter.initialize(buffer.data, random);
    else {
      const values = allocate("float32", parameter.dims).data;
      parameter.initialize(values, random);
      buffer.write(values);
    }
  }
}

/**
 * Buffers with a checkpoint's numbers for each of the model's parameters, in our memory or a device's.
 *
 * @throws TrainingError naming the first parameter that is missing or has another shape.
 */
export function loadedWeights(
  model: Model,
  tensors: ReadonlyMap<string, HostTensor>,
  device?: Device,
): Weights {
  const weights: Record<string, TensorBuffer<"float32">> = {};
  for (const { name, dims } of model.parameters()) {
    const tensor = tensors.get(name);
    if (tensor === undefined || tensor.dtype !== "float32" || tensor.shape.join() !== dims.join())
      throw new TrainingError(
        "WEIGHTS_MISMATCH",
        `The model's parameter "${name}" is float32 (${dims.join(", ")}); the checkpoint has ${tensor ? `${tensor.dtype} (${tensor.shape.join(", ")})` : "no such tensor"}.`,
      );
    const data = tensor.data as Float32Array;
    weights[name] = new TensorBuffer({ dtype: "float32", shape: dims, data, device });
  }
  return weights;
}

/** The same buffers under `prefix/name`. */
export function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [`${prefix}/${name}`, value]));
}
