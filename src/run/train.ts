import { basename, extname } from "node:path";
import { buildComponents } from "./components.ts";
import type { ExtendingRunInput, PartialRunConfig, RunConfigInput } from "./config.ts";
import { deviceOf } from "./device.ts";
import { createRunDirectory, refuseOccupied } from "./new-run-directory.ts";
import { RunProfile } from "./profile.ts";
import { resolvedRun } from "./resolved.ts";
import { Run, type RunOptions } from "./run.ts";
import { applyOverrides, type RunFile, readRun, readRunFile } from "./run-file.ts";
import { versionsNow } from "./versions.ts";

export { Run, type RunResult } from "./run.ts";

export interface TrainOptions extends RunOptions {
  /** The run directory. Default: a new folder `runs/<name>-<time>` in the working directory. */
  readonly out?: string | undefined;
  /** What the run is called. Default: the run file's name, else "run". */
  readonly name?: string;
  /** Values to replace in a run file that is given by its path, as `--set` does: `["trainer.maxSteps=10"]`. */
  readonly set?: readonly string[];
  /** A trial: only so many examples of each split are read, the first, and as many texts by a tokenizer that learns. */
  readonly limit?: number | undefined;
  /**
   * A trial: trains on the first so many batches again and again, in one order, without dropout, and evaluates on the same. The
   * event `overfit` says whether they were learned by heart, as a model that can learn at all does.
   */
  readonly overfitBatch?: number | undefined;
  /**
   * Whether to find out where the time goes: the event `profile` and the file `profile.json` tell it at the end. `"layers"`: with
   * each layer of the model by itself.
   */
  readonly profile?: boolean | "layers";
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
  run: string | RunConfigInput | ExtendingRunInput | RunFile,
  options: TrainOptions = {},
): Promise<Run> {
  const runFile = await runFileOf(run, options);
  const components = await buildComponents(runFile, options.registries);
  if (options.out !== undefined) await refuseOccupied(options.out);
  const name =
    options.name ?? (runFile.path === undefined ? "run" : basename(runFile.path, extname(runFile.path)));
  const device = deviceOf(runFile);
  const directory = await createRunDirectory({ name, out: options.out }, (path) => ({
    runFile: resolvedRun(runFile, components.resolved, path),
    manifest: {
      seed: runFile.config.seed,
      components: components.origins,
      ...(Object.keys(components.trial).length > 0 && { trial: components.trial }),
      ...versionsNow(device),
    },
  }));
  const { profile } = options;
  return new Run({
    seed: runFile.config.seed,
    device,
    components,
    directory,
    options,
    ...(profile && { profile: new RunProfile(profile === "layers" ? "layers" : "folded") }),
  });
}

/** A run, however it is given, with the values that are replaced. */
export async function runFileOf(
  run: string | RunConfigInput | ExtendingRunInput | RunFile,
  { set: given = [], limit, overfitBatch }: Pick<TrainOptions, "set" | "limit" | "overfitBatch">,
): Promise<RunFile<PartialRunConfig>> {
  const trial = Object.entries({ limit, overfitBatch }).filter(([, value]) => value !== undefined);
  const set = [...given, ...trial.map(([key, value]) => `${key}=${value}`)];
  if (typeof run === "string") return readRunFile(run, { set });
  return isRunFile(run) ? applyOverrides(run, set) : readRun(run, set);
}

function isRunFile(run: RunConfigInput | ExtendingRunInput | RunFile): run is RunFile {
  return "config" in run && "locate" in run;
}
