import { z } from "zod";
import { ExactSum } from "../exact-sum.ts";

/** The option `positive`. */
export const positiveOption = z
  .union([z.string(), z.int().min(0)])
  .default(1)
  .describe("The class that counts as positive where one does: its name, or its number from 0 on.");

/**
 * The mean of what classes score, without those whose score is undefined; `NaN` when all are. With weights that are all zero,
 * as if there were none. This is what scikit-learn does with `zero_division=np.nan`.
 */
export function meanOfDefined(values: readonly number[], weights?: readonly number[]): number {
  const [sum, plain, weight] = [new ExactSum(), new ExactSum(), new ExactSum()];
  let defined = 0;
  for (const [at, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    const share = weights?.[at] ?? 1;
    sum.add(value * share);
    weight.add(share);
    plain.add(value);
    defined++;
  }
  if (defined === 0) return Number.NaN;
  return weight.value === 0 ? plain.value / defined : sum.value / weight.value;
}

/** "the classes a, b and 3 more". */
export function namedClasses(names: readonly string[]): string {
  const most = 5;
  const more = names.length > most ? ` and ${names.length - most} more` : "";
  return `the class${names.length === 1 ? "" : "es"} ${names.slice(0, most).join(", ")}${more}`;
}
