import { basename, extname } from "node:path";
import { buildComponents } from "./components.ts";
import type { RunConfigInput } from "./config.ts";
import { deviceOf } from "./device.ts";
import { createRunDirectory, refuseOccupied } from "./new-run-directory.ts";
import { resolvedRun } from "./resolved.ts";
import { Run, type RunOptions, versionsNow } from "./run.ts";
import { applyOverrides, type RunFile, readRunFile, runFileFrom } from "./run-file.ts";

export { Run, type RunResult } from "./run.ts";

export interface TrainOptions extends RunOptions {
  /** The run directory. Default: a new folder `runs/<name>-<time>` in the working directory. */
  readonly out?: string | undefined;
  /** What the run is called. Default: the run file's name, else "run". */
  readonly name?: string;
  /** Values to replace in a run file that is given by its path, as `--set` does: `["trainer.maxSteps=10"]`. */
  readonly set?: readonly string[];
}

/**
 * Checks a run, creates its directory, and gives it back ready to go: nothing is trained before its events are read.
 *
 * @param run A run file's path, a run as an object, or a run file that was loaded before.
 * @throws {RunFileError} with every mistake at once, before anything is created.
 *
 * @example
 * const run = await train({ tokenizer: "bpe", data: { name: "text", path: "book.txt" }, model: "gpt2",
 *                           trainer: { name: "causal_lm", maxSteps: 500 } });
 * for await (const event of run) if (event.type === "step") console.log(event.step, event.loss);
 */
export async function train(
  run: string | RunConfigInput | RunFile,
  options: TrainOptions = {},
): Promise<Run> {
  const runFile = await runFileOf(run, options.set ?? []);
  const components = await buildComponents(runFile, options.registries);
  if (options.out !== undefined) await refuseOccupied(options.out);
  const name =
    options.name ?? (runFile.path === undefined ? "run" : basename(runFile.path, extname(runFile.path)));
  const device = deviceOf(runFile);
  const directory = await createRunDirectory({ name, out: options.out }, (path) => ({
    runFile: resolvedRun(runFile, components.resolved, path),
    manifest: { seed: runFile.config.seed, components: components.origins, ...versionsNow(device) },
  }));
  return new Run({ seed: runFile.config.seed, device, components, directory, options });
}

async function runFileOf(run: string | RunConfigInput | RunFile, set: readonly string[]): Promise<RunFile> {
  if (typeof run === "string") return readRunFile(run, { set });
  return isRunFile(run) ? applyOverrides(run, set) : applyOverrides(runFileFrom(run), set);
}

function isRunFile(run: RunConfigInput | RunFile): run is RunFile {
  return "config" in run && "locate" in run;
}
