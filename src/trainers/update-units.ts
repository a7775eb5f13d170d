import type { Model } from "../models/index.ts";
import type { Parameter } from "../nn/index.ts";
import type { Optimizer, UpdateRule } from "../optim/index.ts";
import { TrainingError } from "./errors.ts";
import { checkParameterNames } from "./parameter-names.ts";

/** What an optimizer's numbers are computed for. */
export interface UpdateRates {
  /** Share of the learning rate. */
  readonly learningRateScale: number;
  readonly weightDecay: number;
}

/** Parameters that one rule updates at one learning rate and one decay. */
export interface UpdateUnit extends UpdateRates {
  readonly rule: UpdateRule;
  readonly parameters: readonly Parameter[];
}

/** How one parameter is trained: not at all, with a share of the learning rate, with a decay of its own. */
export interface ParameterGroup {
  readonly frozen: boolean;
  readonly learningRateScale: number;
  /** Default: the optimizer's for matrices, none for vectors (biases, norms). */
  readonly weightDecay?: number;
}

const whole: ParameterGroup = { frozen: false, learningRateScale: 1 };

/**
 * The parameters that are trained, those that are updated alike together.
 *
 * @throws TrainingError when a name will not do, or everything is frozen.
 */
export function updateUnits(
  model: Model,
  optimizer: Optimizer,
  groupOf: (name: string) => ParameterGroup = () => whole,
): UpdateUnit[] {
  checkParameterNames(model);
  const units = new Map<string, UpdateUnit & { readonly parameters: Parameter[] }>();
  const rules: UpdateRule[] = [];
  for (const parameter of model.parameters()) {
    const { name, dims: shape, rank } = parameter;
    const { frozen, learningRateScale, weightDecay: own } = groupOf(name);
    if (frozen) continue;
    const rule = optimizer.ruleFor?.({ name, shape }) ?? optimizer;
    if (!rules.includes(rule)) rules.push(rule);
    const weightDecay = own ?? (rank < 2 ? 0 : (optimizer.weightDecay ?? 0));
    const key = `${rules.indexOf(rule)} ${ratesKey({ learningRateScale, weightDecay })}`;
    const unit = units.get(key) ?? { rule, learningRateScale, weightDecay, parameters: [] };
    unit.parameters.push(parameter);
    units.set(key, unit);
  }
  if (units.size === 0)
    throw new TrainingError(
      "ALL_FROZEN",
      "Every parameter of the model is frozen: there is nothing to train.",
    );
  return [...units.values()];
}

/** Units of one key read the same numbers of the optimizer. */
export function ratesKey({ learningRateScale, weightDecay }: UpdateRates): string {
  return `${learningRateScale} ${weightDecay}`;
}

/** Shape of a parameter's state in a slot of its rule. */
export function slotShape(rule: UpdateRule, slot: string, shape: readonly number[]): readonly number[] {
  return (rule.perParameter && rule.slotShape?.(slot, shape)) ?? shape;
}
