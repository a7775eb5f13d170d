import type { Model } from "../models/index.ts";
import { optimizerFor } from "./optimizer-options.ts";
import type { CommonOptions } from "./options.ts";
import { parameterGroups } from "./parameter-groups.ts";
import { slotShape, updateUnits } from "./update-units.ts";

/** Shapes of what the optimizer keeps of a model, by the names that checkpoints have for it: `slot/parameter`. */
export function optimizerShapes(
  model: Model,
  options: CommonOptions,
): ReadonlyMap<string, readonly number[]> {
  const units = updateUnits(model, optimizerFor(model, options), parameterGroups(model, options));
  return new Map(
    units.flatMap(({ rule, parameters }) =>
      parameters.flatMap(({ name, dims }) =>
        rule.slots.map((slot) => [`${slot}/${name}`, slotShape(rule, slot, dims)] as const),
      ),
    ),
  );
}
