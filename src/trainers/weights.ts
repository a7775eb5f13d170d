import type { Model } from "../models/index.ts";
import type { Parameter } from "../nn/index.ts";
import type { Optimizer, UpdateRule } from "../optim/index.ts";
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
export interface UpdateUnit extends UpdateRates {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly shape: readonly number[];
  readonly rule: UpdateRule;
}

/** What an optimizer's numbers are computed for. */
export interface UpdateRates {
  /** Share of the learning rate. */
  readonly learningRateScale: number;
  readonly weightDecay: number;
}

/** Name of the rates, for the optimizer's numbers in a graph: each pair of them has its own. */
export function ratesName({ learningRateScale, weightDecay }: UpdateRates): string {
  return ` x ${learningRateScale} decay ${weightDecay}`;
}

/** How one parameter is trained: not at all, with a share of the learning rate, with a decay of its own. */
export interface ParameterGroup {
  readonly frozen: boolean;
  readonly learningRateScale: number;
  /** Default: the optimizer's for matrices, none for vectors (biases, norms). */
  readonly weightDecay?: number;
}

/** How the parameters are updated; the part of an optimizer that decides what is updated together. */
type Rules = UpdateRule & Pick<Optimizer, "weightDecay" | "ruleFor">;

/** For memory alone. */
const keepsAll: Rules = { slots: [], update: ({ parameter }) => ({ parameter, slots: {} }) };

const whole: ParameterGroup = { frozen: false, learningRateScale: 1 };

/** Matrices of fewer elements are updated together: on these, calling an operator costs as much as its arithmetic. */
const SMALL = 2 ** 18;

/**
 * All vectors (biases, norms) laid end to end, all small matrices likewise, and every large matrix by itself. One by one,
 * AdamW's dozen operators would be called for each of a model's many small tensors; a large matrix is not worth the copy
 * of its gradient that joining costs. What a rule looks at as a whole is by itself, too.
 */
export function updateUnits(
  model: Model,
  groupOf: (name: string) => ParameterGroup = () => whole,
  optimizer: Rules = keepsAll,
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
  const rules: UpdateRule[] = [];
  const alike = new Map<string, { readonly of: Alike; readonly parameters: Parameter[] }>();
  for (const parameter of trained) {
    const { name, dims: shape } = parameter;
    const { learningRateScale, weightDecay } = groupOf(name);
    const rule = optimizer.ruleFor?.({ name, shape }) ?? optimizer;
    if (!rules.includes(rule)) rules.push(rule);
    const label = [
      ...(learningRateScale === 1 ? [] : [` x ${learningRateScale}`]),
      ...(weightDecay === undefined ? [] : [` decay ${weightDecay}`]),
      ...(rule === rules[0] ? [] : [` rule ${rules.indexOf(rule)}`]),
    ].join("");
    const of = { label, rule, learningRateScale, weightDecay, matrixDecay: optimizer.weightDecay ?? 0 };
    const set = alike.get(label) ?? { of, parameters: [] };
    set.parameters.push(parameter);
    alike.set(label, set);
  }
  return [...alike.values()].flatMap(({ of, parameters }) => unitsOf(parameters, of));
}

/** What parameters that may be updated together have in common. */
interface Alike {
  readonly label: string;
  readonly rule: UpdateRule;
  readonly learningRateScale: number;
  /** The group's own. */
  readonly weightDecay: number | undefined;
  /** Decay of matrices, where the group has none of its own. */
  readonly matrixDecay: number;
}

function unitsOf(parameters: readonly Parameter[], of: Alike): UpdateUnit[] {
  const { label, rule, learningRateScale, weightDecay, matrixDecay } = of;
  const size = ({ dims }: Parameter) => dims.reduce((product, dim) => product * dim, 1);
  const isVector = (parameter: Parameter) => parameter.rank < 2;
  const isSmall = (parameter: Parameter) => !isVector(parameter) && size(parameter) < SMALL;
  const isAlone = (parameter: Parameter) => !isVector(parameter) && !isSmall(parameter);
  const unit = (name: string, members: readonly Parameter[], shape: readonly number[]): UpdateUnit => ({
    name,
    parameters: members,
    shape,
    rule,
    learningRateScale,
    weightDecay: weightDecay ?? (members.every(isVector) ? 0 : matrixDecay),
  });
  const alone = (parameter: Parameter) => unit(parameter.name, [parameter], parameter.dims);
  if (rule.perParameter) return parameters.map(alone);
  const together = (name: string, members: readonly Parameter[]): UpdateUnit[] =>
    members.length === 0
      ? []
      : [unit(`(${name}${label})`, members, [members.reduce((sum, member) => sum + size(member), 0)])];
  return [
    ...together("vectors", parameters.filter(isVector)),
    ...together("matrices", parameters.filter(isSmall)),
    ...parameters.filter(isAlone).map(alone),
  ];
}

/** What graphs of training, evaluation and generation call their own inputs and outputs. */
const RESERVED =
  /^(input_ids|labels|attention_mask|position_ids|token_type_ids|inverse_count|dropout_key_[ab]|last|loss|losses|logits|predictions|top|(gradient|weight)_norm)$/;

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
 * Zeros for the optimizer's state: by slot, one tensor for each parameter whose rule has that slot.
 *
 * @throws TrainingError when the graph uses the name of a slot for something else.
 */
export function allocateSlots(units: readonly UpdateUnit[]): Readonly<Record<string, ParameterMemory>> {
  const slots = [...new Set(units.flatMap(({ rule }) => rule.slots))];
  const taken = slots.find((slot) => /^(next|sum|optimizer)$|\//.test(slot));
  if (taken !== undefined)
    throw new TrainingError(
      "OPTIMIZER_SLOT",
      `The optimizer calls its state "${taken}", which is what the graph calls something of its own. Give the slot another name.`,
    );
  return Object.fromEntries(
    slots.map((slot) => {
      const owners = units.filter(({ rule }) => rule.slots.includes(slot));
      return [slot, allocateFor(owners.map((unit) => ({ ...unit, shape: slotShape(unit, slot) })))];
    }),
  );
}

/** Shape of a unit's state in a slot. */
export function slotShape({ rule, shape }: UpdateUnit, slot: string): readonly number[] {
  return (rule.perParameter && rule.slotShape?.(slot, shape)) ?? shape;
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
