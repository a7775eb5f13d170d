import type { Model } from "../models/index.ts";
import type { Parameter } from "../nn/index.ts";
import { type HostTensor, TensorBuffer } from "../runtime/index.ts";
import { mix32, Random } from "../tensor/index.ts";
import { TrainingError } from "./errors.ts";

/** Float32 buffers by name. */
export type Weights = Readonly<Record<string, TensorBuffer<"float32">>>;

/** Memory for one tensor a parameter. */
export interface ParameterMemory {
  /** One buffer a parameter, by name. */
  readonly parameters: Weights;
  /** The same memory by the units that are updated at once. */
  readonly units: Weights;
}

/** Parameters that are updated as one tensor. */
export interface UpdateUnit {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly shape: readonly number[];
  /** Whether weight decay is for it: matrices, but not vectors. */
  readonly decays: boolean;
  /** Its share of the learning rate. */
  readonly learningRateScale: number;
}

/** How one parameter is trained: not at all, or with a share of the learning rate. */
export interface ParameterGroup {
  readonly frozen: boolean;
  readonly learningRateScale: number;
}

const whole: ParameterGroup = { frozen: false, learningRateScale: 1 };

/** Matrices of fewer elements are updated together: on these, calling an operator costs as much as its arithmetic. */
const SMALL = 2 ** 18;

/**
 * All vectors (biases, norms) laid end to end, all small matrices likewise, and every large matrix by itself. One by one,
 * AdamW's dozen operators would be called for each of a model's many small tensors; a large matrix is not worth the copy
 * of its gradient that joining costs.
 */
export function updateUnits(
  model: Model,
  groupOf: (name: string) => ParameterGroup = () => whole,
): UpdateUnit[] {
  const parameters = model.parameters();
  const names = new Set<string>();
  for (const { name } of parameters) {
    if (name === "" || names.has(name))
      throw new TrainingError(
        "PARAMETER_NAME",
        `The model's parameters need names of their own; got "${name}"${name === "" ? "" : " twice"}.`,
      );
    if (RESERVED.test(name))
      throw new TrainingError(
        "PARAMETER_NAME",
        `The model has a parameter "${name}", which is what the graph calls something of its own. Give the field another name.`,
      );
    names.add(name);
  }
  const trained = parameters.filter(({ name }) => !groupOf(name).frozen);
  if (trained.length === 0)
    throw new TrainingError(
      "ALL_FROZEN",
      "Every parameter of the model is frozen: there is nothing to train.",
    );
  const scales = [...new Set(trained.map(({ name }) => groupOf(name).learningRateScale))];
  return scales.flatMap((scale) =>
    unitsOf(
      trained.filter(({ name }) => groupOf(name).learningRateScale === scale),
      scale,
    ),
  );
}

function unitsOf(parameters: readonly Parameter[], learningRateScale: number): UpdateUnit[] {
  const size = ({ dims }: Parameter) => dims.reduce((product, dim) => product * dim, 1);
  const isVector = (parameter: Parameter) => parameter.rank < 2;
  const isSmall = (parameter: Parameter) => !isVector(parameter) && size(parameter) < SMALL;
  const suffix = learningRateScale === 1 ? "" : ` x ${learningRateScale}`;
  const together = (name: string, members: readonly Parameter[], decays: boolean): UpdateUnit[] => {
    if (members.length === 0) return [];
    const shape = [members.reduce((sum, member) => sum + size(member), 0)];
    return [{ name: `(${name}${suffix})`, parameters: members, shape, decays, learningRateScale }];
  };
  return [
    ...together("vectors", parameters.filter(isVector), false),
    ...together("matrices", parameters.filter(isSmall), true),
    ...parameters
      .filter((parameter) => !isVector(parameter) && !isSmall(parameter))
      .map((parameter) => ({
        name: parameter.name,
        parameters: [parameter],
        shape: parameter.dims,
        decays: true,
        learningRateScale,
      })),
  ];
}

/** What graphs of training, evaluation and generation call their own inputs and outputs. */
const RESERVED =
  /^(input_ids|labels|attention_mask|position_ids|token_type_ids|inverse_count|dropout_key_[ab]|last|loss|losses|logits|predictions|top|(gradient|weight)_norm|(past_key_values|key_values|present)\.\d+\.(key|value))$/;

/** Zeros for every parameter. */
export function allocateFor(units: readonly UpdateUnit[]): ParameterMemory {
  const parameters: Record<string, TensorBuffer<"float32">> = {};
  const memory: Record<string, TensorBuffer<"float32">> = {};
  for (const unit of units) {
    const buffer = new TensorBuffer({ dtype: "float32", shape: unit.shape });
    memory[unit.name] = buffer;
    let offset = 0;
    for (const { name, dims } of unit.parameters) {
      const view =
        name === unit.name
          ? buffer
          : new TensorBuffer({ dtype: "float32", shape: dims, within: { buffer, offset } });
      parameters[name] = view;
      offset += view.data.length;
    }
  }
  return { parameters, units: memory };
}

/**
 * Draws first values for a model's parameters. Each draws from a stream of its own, given by the seed and its name, so that
 * a parameter's values do not depend on which others the model has.
 */
export function initialize(model: Model, weights: Weights, seed: number): void {
  for (const parameter of model.parameters()) {
    const values = weights[parameter.name]?.data;
    if (values)
      parameter.initialize(values, new Random(seed, mix32(...new TextEncoder().encode(parameter.name))));
  }
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

/** The same buffers under `prefix/name`. */
export function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [`${prefix}/${name}`, value]));
}
