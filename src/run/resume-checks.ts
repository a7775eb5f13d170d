import type { Model } from "../models/index.ts";
import type { RunChange } from "../trainers/index.ts";
import type { SavedCheckpoint } from "./checkpoint.ts";
import type { Components } from "./components.ts";
import { displayPath } from "./problems.ts";
import { type ForceName, refusals } from "./run-changes.ts";

/** A run that cannot go on as it was asked to. */
export class ResumeError extends Error {
  readonly code = "RESUME_REFUSED";
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ResumeError";
  }
}

/**
 * Refuses what would make it another run, unless it is asked for by name.
 *
 * @returns The names that were asked for and needed.
 * @throws {ResumeError} with every reason at once, and how to insist.
 */
export function refuseUnlessForced(
  runDirectory: string,
  changes: readonly RunChange[],
  { trainer, origins }: Components,
  force: readonly ForceName[],
): readonly ForceName[] {
  const all = refusals(changes);
  const refused = all.filter((refusal) => refusal.force === undefined || !force.includes(refusal.force));
  const reasons = refused.map(
    ({ reason, force: name }) => `  ${reason}${name === undefined ? "" : ` (--force ${name})`}`,
  );
  if (trainer.resumes !== true) {
    const origin = origins.find(({ kind }) => kind === "trainer");
    reasons.push(
      `  the trainer "${origin?.name}" (${origin?.origin}) does not say that it can go on from a checkpoint (\`resumes\`)`,
    );
  }
  if (reasons.length > 0)
    throw new ResumeError(`cannot go on with ${displayPath(runDirectory)}:\n${reasons.join("\n")}`);
  const needed = all.flatMap((refusal) => refusal.force ?? []);
  return force.filter((name) => needed.includes(name) || name === "lock" || name === "optimizer");
}

/**
 * Refuses a model that the weights do not fit.
 *
 * @throws {ResumeError} naming the first parameter.
 */
export function requireFitting(runDirectory: string, model: Model, { parameters }: SavedCheckpoint): void {
  const cannot = (why: string): ResumeError =>
    new ResumeError(
      `cannot go on with ${displayPath(runDirectory)}: ${why}. A model of another shape is another run: train it from the beginning, with \`from\` for the parameters that fit`,
    );
  const names = new Set<string>();
  for (const { name, dims } of model.parameters()) {
    names.add(name);
    const saved = parameters.get(name)?.shape;
    if (saved?.join() !== dims.join())
      throw cannot(
        `the model's parameter "${name}" is (${dims.join(", ")}), and ${saved === undefined ? "missing" : `(${saved.join(", ")})`} in the checkpoint`,
      );
  }
  for (const name of parameters.keys())
    if (!names.has(name)) throw cannot(`the checkpoint's parameter "${name}" is none of the model's`);
}
