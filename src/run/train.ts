import { basename, extname, join } from "node:path";
import type { Model, Task } from "../models/index.ts";
import { ownVersion } from "../registry/index.ts";
import { runtimeInfo } from "../runtime/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { ndjsonFile, sampleFiles, type Tracker } from "../tracking/index.ts";
import type { EndEvent, EvaluationEvent, RunEvent, TrainingContext } from "../trainers/index.ts";
import { checkpointSize, requireRoom, saveCheckpoint } from "./checkpoint.ts";
import { buildComponents, type Components } from "./components.ts";
import type { RunConfigInput } from "./config.ts";
import { errorCode } from "./file-system.ts";
import { type LoadedRun, loadRun } from "./loaded-run.ts";
import { createRunDirectory, refuseOccupied } from "./new-run-directory.ts";
import type { Registries } from "./registries.ts";
import { resolvedRun } from "./resolved.ts";
import { completeRunDirectory, type RunDirectory } from "./run-directory.ts";
import { applyOverrides, type RunFile, readRunFile, runFileFrom } from "./run-file.ts";

export interface TrainOptions {
  /** The run directory. Default: a new folder `runs/<name>-<time>` in the working directory. */
  readonly out?: string | undefined;
  /** What the run is called. Default: the run file's name, else "run". */
  readonly name?: string;
  /** Values to replace in a run file that is given by its path, as `--set` does: `["trainer.maxSteps=10"]`. */
  readonly set?: readonly string[];
  /** When it aborts, the step that runs is finished and saved. */
  readonly signal?: AbortSignal;
  /** Listeners besides the run directory's own files. */
  readonly trackers?: readonly Tracker[];
  /** Where names are looked up. Default: the process-wide registries. */
  readonly registries?: Registries;
}

/** How a run went. */
export interface RunResult {
  readonly end: EndEvent;
  /** The last evaluation, when there was a validation split. */
  readonly evaluation: EvaluationEvent | undefined;
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
  const { name: runtime, version, device } = runtimeInfo();
  const directory = await createRunDirectory({ name, out: options.out }, (path) => ({
    runFile: resolvedRun(runFile, components.resolved, path),
    manifest: {
      seed: runFile.config.seed,
      components: components.origins,
      versions: { "codex-ml": ownVersion() ?? "unknown", [runtime]: version },
      device,
    },
  }));
  return new Run(runFile.config.seed, components, directory, options);
}

async function runFileOf(run: string | RunConfigInput | RunFile, set: readonly string[]): Promise<RunFile> {
  if (typeof run === "string") return readRunFile(run, { set });
  return isRunFile(run) ? applyOverrides(run, set) : applyOverrides(runFileFrom(run), set);
}

function isRunFile(run: RunConfigInput | RunFile): run is RunFile {
  return "config" in run && "locate" in run;
}

/** A run that goes on as its events are read; they are also written to its directory. */
export class Run implements AsyncIterable<RunEvent> {
  /** Absolute path of the run directory. */
  readonly directory: string;
  readonly #seed: number;
  readonly #components: Components;
  readonly #runDirectory: RunDirectory;
  readonly #options: TrainOptions;
  #events: AsyncGenerator<RunEvent> | undefined;

  constructor(seed: number, components: Components, runDirectory: RunDirectory, options: TrainOptions) {
    this.#seed = seed;
    this.#components = components;
    this.#runDirectory = runDirectory;
    this.#options = options;
    this.directory = runDirectory.path;
  }

  /** The events, once: a run cannot be trained twice. */
  [Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    this.#events ??= this.#run();
    return this.#events;
  }

  /** Trains to the end, and says how it went. */
  async finish(): Promise<RunResult> {
    let end: EndEvent | undefined;
    let evaluation: EvaluationEvent | undefined;
    for await (const event of this) {
      if (event.type === "end") end = event;
      if (event.type === "evaluation") evaluation = event;
    }
    if (end === undefined) throw new Error("this run was read to its end before");
    return { end, evaluation };
  }

  /** What its model is for. */
  get task(): Task {
    return this.#components.trainer.task ?? "causal_lm";
  }

  /** The trained run, to generate from and to evaluate. */
  load(): Promise<LoadedRun> {
    return loadRun(this.directory, this.#options.registries);
  }

  async *#run(): AsyncGenerator<RunEvent> {
    const trackers = [
      ndjsonFile(this.#runDirectory.metrics),
      sampleFiles(join(this.directory, "samples")),
      ...(this.#options.trackers ?? []),
    ];
    const tell = (event: RunEvent): RunEvent => {
      for (const tracker of trackers) tracker.event(event);
      return event;
    };
    try {
      for await (const event of this.#train()) yield tell(event);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      tell({ type: "error", code: errorCode(error) ?? "FAILED", message });
      throw error;
    } finally {
      for (const tracker of trackers) await tracker.close();
    }
  }

  async *#train(): AsyncGenerator<RunEvent> {
    const { tokenizer, data, trainer, metrics, origins, notes } = this.#components;
    yield* this.#components.problems.map(
      (message): RunEvent => ({ type: "warning", code: "PLUGIN_PROBLEM", message }),
    );
    if (!this.#components.tokenizerIsTrained) await tokenizer.train?.(data.texts("train"));
    yield* (tokenizer.notes?.() ?? []).map(
      (message): RunEvent => ({ type: "warning", code: "TOKENIZER_NOTE", message }),
    );
    const model = await this.#components.createModel(tokenizer.vocabSize);
    await completeRunDirectory(this.#runDirectory, await data.fingerprint(), saved(tokenizer));
    await this.#requireRoom(model);
    const warnings: RunEvent[] = [];
    const context: TrainingContext = {
      tokenizer,
      model,
      data,
      metrics,
      seed: this.#seed,
      signal: this.#options.signal ?? new AbortController().signal,
      saveCheckpoint: (checkpoint) =>
        saveCheckpoint(this.directory, checkpoint, {
          config: describedConfig(model),
          onWarning: (warning) => warnings.push(warning),
        }),
    };
    const { maxSteps = trainer.maxSteps, data: survey } = (await trainer.prepare?.(context)) ?? {};
    yield {
      type: "start",
      run: this.#runDirectory.name,
      parameters: countParameters(model),
      ...(maxSteps !== undefined && { maxSteps }),
      components: origins,
      ...(survey && { data: survey }),
      ...(notes.length > 0 && { notes }),
    };
    let end: EndEvent | undefined;
    for await (const event of trainer.train(context)) {
      yield* warnings.splice(0);
      // Held back until it is known to be true.
      if (event.type === "end") end = event;
      else yield event;
    }
    if (end === undefined || (end.step === 0 && end.reason !== "interrupted"))
      throw Object.assign(new Error("The trainer ended without one step: nothing was trained."), {
        code: "NOTHING_TRAINED",
      });
    yield end;
  }

  /** Better said now than after the training: weights and two optimizer states must fit on the disk. */
  async #requireRoom(model: Model): Promise<void> {
    const parameters = new Map(
      model
        .parameters()
        .map(({ name, dims }) => [
          name,
          { dtype: "float32" as const, shape: dims, data: new Float32Array(0) },
        ]),
    );
    await requireRoom(this.directory, 3 * checkpointSize({ parameters, optimizer: new Map() }));
  }
}

/** The model's `config.json`, with the names of its classes whether or not it puts them there. */
function describedConfig({ config, labels }: Model): Readonly<Record<string, unknown>> {
  if (labels === undefined) return config;
  const id2label = Object.fromEntries(labels.entries());
  return { id2label, label2id: Object.fromEntries(labels.map((name, id) => [name, id])), ...config };
}

/** Trained numbers of a model. */
function countParameters(model: Model): number {
  return model
    .parameters()
    .reduce((sum, { dims }) => sum + dims.reduce((product, dim) => product * dim, 1), 0);
}

function saved(tokenizer: Tokenizer): Readonly<Record<string, string>> {
  return tokenizer.save?.() ?? {};
}
