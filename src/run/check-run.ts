import { buildComponents, type Components } from "./components.ts";
import type { PartialRunConfig } from "./config.ts";
import type { Registries } from "./registries.ts";
import { type RunFile, readRunFile } from "./run-file.ts";

/** A run file without a mistake that shows before data is read. */
export interface CheckedRun {
  readonly runFile: RunFile<PartialRunConfig>;
  readonly components: Components;
}

export interface CheckOptions {
  /** Overrides as they are typed: `trainer.maxSteps=10`. */
  readonly set?: readonly string[];
  readonly registries?: Registries;
}

/**
 * Checks a run file as `train` does before it creates anything: what is written, what it extends, the options of all
 * components, and whether they fit each other. No data is read, and the run's own `imports` are imported.
 *
 * @throws {RunFileError} with every mistake at once, each at its file, line and column.
 */
export async function checkRun(
  path: string,
  { set = [], registries }: CheckOptions = {},
): Promise<CheckedRun> {
  const runFile = await readRunFile(path, { set });
  return { runFile, components: await buildComponents(runFile, registries) };
}
