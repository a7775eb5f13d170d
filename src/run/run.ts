import { join } from "node:path";
import type { Model, Task } from "../models/index.ts";
import { ownVersion } from "../registry/index.ts";
import { type Device, runtimeInfo } from "../runtime/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { type NdjsonFile, ndjsonFile, sampleFiles, type Tracker } from "../tracking/index.ts";
import type {
  EndEvent,
  EvaluationEvent,
  ResumePoint,
  RunChange,
  RunEvent,
  TrainingContext,
  WarningEvent,
} from "../trainers/index.ts";
import { saveCheckpoint } from "./checkpoint.ts";
import type { CheckpointRun } from "./checkpoint-files.ts";
import type { Components } from "./components.ts";
import { deviceUse } from "./device.ts";
import { requireRunRoom } from "./disk-room.ts";
import { errorCode } from "./file-system.ts";
import { type LoadedRun, loadRun } from "./loaded-run.ts";
import type { Registries } from "./registries.ts";
import { describeConfig } from "./run-changes.ts";
import { completeRunDirectory, type RunDirectory } from "./run-directory.ts";
import { lockRunDirectory, type RunLock } from "./run-lock.ts";

export interface RunOptions {
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

/** What a run goes on from. */
export interface GoingOn {
  readonly point: ResumePoint;
  readonly model: Model;
  readonly fingerprint: string;
  readonly changes: readonly RunChange[];
  /** What was found on the way, as sentences. */
  readonly notes: readonly string[];
}

export interface RunParts {
  readonly seed: number;
  /** What computes, where that is not the CPU. */
  readonly device: Device | undefined;
  readonly components: Components;
  readonly directory: RunDirectory;
  /** Without: taken when the events begin to be read. */
  readonly lock?: RunLock;
  readonly options: RunOptions;
  /** Without: from the beginning. */
  readonly goingOn?: GoingOn;
  /** Told first, but not written: `metrics.ndjson` reads as that of one run that never stopped. */
  readonly events?: readonly RunEvent[];
  /** Bytes of `metrics.ndjson` to keep. Default: all. */
  readonly metricsBytes?: number;
}

/** A run that goes on as its events are read; they are also written to its directory, which it holds until its end. */
export class Run implements AsyncIterable<RunEvent> {
  /** Absolute path of the run directory. */
  readonly directory: string;
  readonly #parts: RunParts;
  #events: AsyncGenerator<RunEvent> | undefined;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.directory = parts.directory.path;
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
    return this.#parts.components.trainer.task ?? "causal_lm";
  }

  /** The trained run, to generate from and to evaluate. */
  load(): Promise<LoadedRun> {
    return loadRun(this.directory, this.#parts.options.registries);
  }

  async *#run(): AsyncGenerator<RunEvent> {
    const { directory, options, events = [], metricsBytes: length } = this.#parts;
    const lock = this.#parts.lock ?? (await lockRunDirectory(this.directory));
    const trackers: Tracker[] = [...(options.trackers ?? [])];
    const tell = (event: RunEvent): RunEvent => {
      for (const tracker of trackers) tracker.event(event);
      return event;
    };
    try {
      for (const event of events) yield tell(event);
      const metrics = ndjsonFile(directory.metrics, length === undefined ? {} : { length });
      trackers.unshift(metrics, sampleFiles(join(this.directory, "samples")));
      for await (const event of this.#train(metrics)) yield tell(event);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const event = { type: "error", code: errorCode(error) ?? "FAILED", message } as const;
      // One of them may be what failed.
      for (const tracker of trackers) attempt(() => tracker.event(event));
      throw error;
    } finally {
      try {
        for (const tracker of trackers) await tracker.close();
      } finally {
        await lock.release();
      }
    }
  }

  async *#train(metricsFile: NdjsonFile): AsyncGenerator<RunEvent> {
    const { components, goingOn, device } = this.#parts;
    const { tokenizer, data, trainer, metrics } = components;
    const { model, fingerprint } = goingOn ?? (yield* this.#begin());
    const run = this.#describe(fingerprint);
    const warnings: WarningEvent[] = [];
    const context: TrainingContext = {
      tokenizer,
      model,
      data,
      metrics,
      seed: this.#parts.seed,
      signal: this.#parts.options.signal ?? new AbortController().signal,
      saveCheckpoint: (checkpoint, keep) =>
        saveCheckpoint(this.directory, checkpoint, {
          config: describedConfig(model),
          run: { ...run, metricsBytes: metricsFile.size },
          flush: () => metricsFile.flush(),
          ...(keep !== undefined && { keep }),
          onWarning: (warning) => warnings.push(warning),
        }),
      ...(device && { device }),
      ...(goingOn && { resume: goingOn.point }),
    };
    yield await this.#first(context);
    const use = device && deviceUse(device);
    let end: EndEvent | undefined;
    for await (const event of trainer.train(context)) {
      yield* warnings.splice(0);
      // By then its graphs are compiled.
      if (event.type === "step" && event.step === 1) yield* use?.() ?? [];
      // Held back until it is known to be true.
      if (event.type === "end") end = event;
      else yield event;
    }
    if (end === undefined || (end.step === 0 && end.reason !== "interrupted"))
      throw Object.assign(new Error("The trainer ended without one step: nothing was trained."), {
        code: "NOTHING_TRAINED",
      });
    yield* warnings.splice(0);
    yield end;
  }

  /** What comes before the first step of a new run: its tokenizer learns, and its directory is completed. */
  async *#begin(): AsyncGenerator<RunEvent, { model: Model; fingerprint: string }> {
    const { components, directory } = this.#parts;
    const { tokenizer, data, trainer } = components;
    yield* components.problems.map(
      (message): RunEvent => ({ type: "warning", code: "PLUGIN_PROBLEM", message }),
    );
    if (!components.tokenizerIsTrained) await tokenizer.train?.(data.texts("train"));
    yield* (tokenizer.notes?.() ?? []).map(
      (message): RunEvent => ({ type: "warning", code: "TOKENIZER_NOTE", message }),
    );
    const model = await components.createModel(tokenizer.vocabSize);
    const fingerprint = await data.fingerprint();
    await completeRunDirectory(directory, fingerprint, saved(tokenizer));
    await requireRunRoom(this.directory, model, trainer);
    return { model, fingerprint };
  }

  /** What is told first: of a run that goes on without looking at its data again, unless that says how long it is. */
  async #first(context: TrainingContext): Promise<RunEvent> {
    const { components, directory, goingOn } = this.#parts;
    const { trainer, origins, notes } = components;
    const isKnown = goingOn !== undefined && trainer.maxSteps !== undefined;
    const plan = isKnown ? {} : ((await trainer.prepare?.(context)) ?? {});
    const { maxSteps = trainer.maxSteps, data: survey } = plan;
    const common = {
      run: directory.name,
      parameters: countParameters(context.model),
      ...(maxSteps !== undefined && { maxSteps }),
      components: origins,
    };
    if (goingOn !== undefined) {
      const { changes, notes: found } = goingOn;
      const { step, path } = goingOn.point;
      return { type: "resume", ...common, step, path, changes, ...(found.length > 0 && { notes: found }) };
    }
    const { device } = this.#parts;
    const allNotes = [...notes, ...(device === undefined ? [] : [`computes on ${device.label}`])];
    return {
      type: "start",
      ...common,
      ...(survey && { data: survey }),
      ...(allNotes.length > 0 && { notes: allNotes }),
    };
  }

  #describe(fingerprint: string): Omit<CheckpointRun, "metricsBytes"> {
    const { seed, components, device } = this.#parts;
    return {
      config: describeConfig(seed, components.resolved),
      components: components.origins,
      fingerprint,
      versions: versionsNow().versions,
      ...(device && { device: device.label }),
    };
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

/** What computes, for manifests. */
export function versionsNow(on?: Device): {
  readonly device: string;
  readonly versions: Readonly<Record<string, string>>;
} {
  const { name, version, device } = runtimeInfo(on);
  return {
    versions: { "codex-ml": ownVersion() ?? "unknown", [name]: version, node: process.versions.node },
    device,
  };
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // Another error is being told.
  }
}

function saved(tokenizer: Tokenizer): Readonly<Record<string, string>> {
  return tokenizer.save?.() ?? {};
}
