import type { Optimizer, UpdateRule } from "../optim/index.ts";
import { type Device, type Profiler, Program } from "../runtime/index.ts";
import { describe, input, inScope, mul, type Shape, sameShape, type Tensor } from "../tensor/index.ts";
import { TrainingError } from "./errors.ts";
import { ratesKey, slotShape, type UpdateUnit } from "./update-units.ts";

export interface UpdateForm {
  readonly rule: UpdateRule;
  /** Whether weight decay is for the parameters. */
  readonly decays: boolean;
  readonly shape: Shape;
  readonly slots: Readonly<Record<string, Shape>>;
}

/**
 * The update of a tensor as a program. Inputs: `parameter`, `gradient`, every slot by its name, the optimizer's numbers as
 * `optimizer/…`, and `clip`, a factor on the gradient. Outputs: `next/parameter` and `next/…` of every slot.
 *
 * @throws TrainingError when the rule gives something that cannot take the place of what was there.
 */
export function updateProgram(
  { scalars }: Optimizer,
  { rule, decays, shape, slots }: UpdateForm,
  profiler?: Profiler,
): Program {
  const tensor = (name: string, of: Shape = []) => input(name, "float32", of);
  const parameter = tensor("parameter", shape);
  const gradient = tensor("gradient", shape);
  const clip = tensor("clip");
  const numbers = Object.fromEntries(scalars.map((name) => [name, tensor(`optimizer/${name}`)]));
  const before = Object.fromEntries(Object.entries(slots).map(([slot, of]) => [slot, tensor(slot, of)]));
  const next = inScope("optimizer", () =>
    rule.update({ parameter, decays, gradient: mul(gradient, clip), slots: before, scalars: numbers }),
  );
  const outputs = {
    "next/parameter": likeBefore(parameter, next.parameter),
    ...Object.fromEntries(
      Object.entries(before).map(([slot, tensor]) => [`next/${slot}`, likeBefore(tensor, next.slots[slot])]),
    ),
  };
  const inputs = [parameter, gradient, clip, ...Object.values(numbers), ...Object.values(before)];
  return new Program({ inputs, outputs }, {}, { profiler });
}

/**
 * The update of all parameters as one program, for a device. Inputs: `parameter/…`, `gradient/…` and `slot/<slot>/…` by the names of the
 * parameters, the optimizer's numbers as `optimizer/<rates>/…`, and `clip`. Outputs: `next/parameter/…` and `next/slot/…`.
 *
 * @throws TrainingError as {@link updateProgram}.
 */
export function deviceUpdateProgram(
  { scalars }: Optimizer,
  units: readonly UpdateUnit[],
  device: Device,
): Program {
  const clip = input("clip", "float32", []);
  const numbers = new Map(
    units.map((unit) => [
      ratesKey(unit),
      Object.fromEntries(
        scalars.map((name) => [name, input(`optimizer/${ratesKey(unit)}/${name}`, "float32", [])]),
      ),
    ]),
  );
  const inputs: Tensor[] = [clip, ...[...numbers.values()].flatMap((of) => Object.values(of))];
  const outputs: Record<string, Tensor> = {};
  for (const unit of units)
    for (const { name, dims } of unit.parameters) {
      const { rule, weightDecay } = unit;
      const parameter = input(`parameter/${name}`, "float32", dims);
      const gradient = input(`gradient/${name}`, "float32", dims);
      const slots = Object.fromEntries(
        rule.slots.map((slot) => [
          slot,
          input(`slot/${slot}/${name}`, "float32", slotShape(rule, slot, dims)),
        ]),
      );
      inputs.push(parameter, gradient, ...Object.values(slots));
      const next = inScope("optimizer", () =>
        rule.update({
          parameter,
          decays: weightDecay !== 0,
          gradient: mul(gradient, clip),
          slots,
          scalars: numbers.get(ratesKey(unit)) ?? {},
        }),
      );
      outputs[`next/parameter/${name}`] = likeBefore(parameter, next.parameter);
      for (const [slot, before] of Object.entries(slots))
        outputs[`next/slot/${slot}/${name}`] = likeBefore(before, next.slots[slot]);
    }
  return new Program({ inputs, outputs }, {}, { device });
}

function likeBefore(before: Tensor, after: Tensor | undefined): Tensor {
  if (after !== undefined && after.dtype === before.dtype && sameShape(after.shape, before.shape))
    return after;
  throw new TrainingError(
    "OPTIMIZER_UPDATE",
    `The optimizer is to give new values for ${describe(before)}; it gave ${after === undefined ? "none" : describe(after)}.`,
  );
}
