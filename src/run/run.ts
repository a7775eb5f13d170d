import { join } from "node:path";
import type { DataLoader } from "../data-loaders/index.ts";
import type { Model, Task } from "../models/index.ts";
import type { Device } from "../runtime/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import {
  type NdjsonFile,
  ndjsonFile,
  readEvents,
  SystemMonitor,
  sampleFiles,
  type Tracker,
  tensorBoard,
} from "../tracking/index.ts";
import type {
  DiskUse,
  EndEvent,
  EvaluationEvent,
  OverfitEvent,
  ResumePoint,
  RunChange,
  RunEvent,
  TrainingContext,
  TrainingEvent,
  TrainingPlan,
  WarningEvent,
} from "../trainers/index.ts";
import type { Callback, EventListener, EventType } from "./callbacks.ts";
import { saveCheckpoint } from "./checkpoint.ts";
import type { CheckpointRun } from "./checkpoint-files.ts";
import type { Components } from "./components.ts";
import { overlapWarning } from "./data-overlap.ts";
import { deviceUse } from "./device.ts";
import { requireRunRoom } from "./disk-room.ts";
import { errorCode } from "./file-system.ts";
import { firstLossWarning, type InitialWeights } from "./first-loss.ts";
import { Listeners } from "./listeners.ts";
import { type LoadedRun, loadRun } from "./loaded-run.ts";
import { OverfitVerdict } from "./overfit-verdict.ts";
import { displayPath } from "./problems.ts";
import type { RunProfile } from "./profile.ts";
import type { Registries } from "./registries.ts";
import type { ResolvedSlot } from "./resolved.ts";
import { trialNotes } from "./restricted-data.ts";
import { describeConfig } from "./run-changes.ts";
import { completeRunDirectory, type RunDirectory } from "./run-directory.ts";
import { lockRunDirectory, type RunLock } from "./run-lock.ts";
import { blamedLoader, explainFailure } from "./training-failure.ts";
import { versionsNow } from "./versions.ts";

export interface RunOptions {
  /** When it aborts, the step that runs is finished and saved. */
  readonly signal?: AbortSignal;
  /** What the program does with the run as it goes. */
  readonly callbacks?: readonly Callback[];
  /** Listeners besides the run directory's own files. */
  readonly trackers?: readonly Tracker[];
  /** Whether the run directory gets a file for TensorBoard. Default true; of a run that goes on: whether it has one. */
  readonly tensorboard?: boolean;
  /** Where names are looked up. Default: the process-wide registries. */
  readonly registries?: Registries;
}

/** How a run went. */
export interface RunResult {
  readonly end: EndEvent;
  /** The last evaluation, when there was a validation split. */
  readonly evaluation: EvaluationEvent | undefined;
  /** With `overfitBatch`: whether the batches were learned by heart. */
  readonly overfit?: OverfitEvent;
}

/** What a run goes on from. */
export interface GoingOn {
  readonly point: ResumePoint;
  readonly model: Model;
  readonly fingerprint: string;
  readonly disk: DiskUse;
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
  /** Finds out where the time goes. */
  readonly profile?: RunProfile | undefined;
}

/** A run that goes on as its events are read; they are also written to its directory, which it holds until its end. */
export class Run implements AsyncIterable<RunEvent> {
  /** Absolute path of the run directory. */
  readonly directory: string;
  readonly #parts: RunParts;
  readonly #data: DataLoader;
  readonly #listeners: Listeners;
  readonly #stop = new AbortController();
  /** Aborts when the run is to end before its time: the caller's signal did, or `stop` was called. */
  readonly signal: AbortSignal;
  #events: AsyncGenerator<RunEvent> | undefined;
  /** Why it was stopped. */
  #stopped: string | undefined;

  constructor(parts: RunParts) {
    const { signal } = parts.options;
    this.#parts = parts;
    this.directory = parts.directory.path;
    const { data, origins } = parts.components;
    this.#data = blamedLoader(
      data,
      origins.find(({ kind }) => kind === "data"),
    );
    // The trainer saves then, as when it is interrupted.
    this.#listeners = new Listeners(this, parts.options, () => this.#stop.abort());
    this.signal = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
  }

  /**
   * Calls `listener` with every event of a type from here on, and waits for it. It is called with the run, too, and may stop
   * that; what it throws ends the run with an error, once that is saved.
   *
   * @example
   * const run = await train("run.yaml");
   * run.on("evaluation", ({ step, loss }) => console.log(step, loss));
   * await run.finish();
   */
  on<Type extends EventType>(type: Type, listener: EventListener<Type>): this {
    this.#listeners.addListener(type, listener);
    return this;
  }

  /** Ends the run once the step that runs is finished and saved. Its last event has the reason "stopped". */
  stop(why = "no reason given"): void {
    if (this.#stop.signal.aborted) return;
    const { calling } = this.#listeners;
    this.#stopped = calling === undefined ? why : `${calling}: ${why}`;
    this.#stop.abort();
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
    let overfit: OverfitEvent | undefined;
    for await (const event of this) {
      if (event.type === "end") end = event;
      if (event.type === "evaluation") evaluation = event;
      if (event.type === "overfit") overfit = event;
    }
    if (end === undefined) throw new Error("this run was read to its end before");
    return { end, evaluation, ...(overfit && { overfit }) };
  }

  /** What its model is for. */
  get task(): Task {
    return this.#parts.components.trainer.task ?? "causal_lm";
  }

  /** The trained run, to generate from and to evaluate. */
  load(): Promise<LoadedRun> {
    return loadRun(this.directory, { registries: this.#parts.options.registries });
  }

  async *#run(): AsyncGenerator<RunEvent> {
    const { directory, options, events = [], metricsBytes: length } = this.#parts;
    const lock = this.#parts.lock ?? (await lockRunDirectory(this.directory));
    const listeners = this.#listeners;
    try {
      for (const event of events) yield await listeners.tell(event);
      const metrics = ndjsonFile(directory.metrics, length === undefined ? {} : { length });
      listeners.addFile(metrics);
      listeners.addFile(sampleFiles(join(this.directory, "samples")));
      if (options.tensorboard ?? true) listeners.addFile(tensorBoard(this.directory));
      for await (const event of this.#train(metrics)) {
        // A run that failed has not ended.
        if (event.type === "end" && listeners.failure !== undefined) break;
        yield await listeners.tell(event);
      }
      if (listeners.failure !== undefined) throw listeners.failure;
    } catch (thrown) {
      const error = listeners.failure ?? thrown;
      const message = error instanceof Error ? error.message : String(error);
      await listeners.tellError({ type: "error", code: errorCode(error) ?? "FAILED", message });
      throw error;
    } finally {
      try {
        await listeners.close();
      } finally {
        await lock.release();
      }
    }
  }

  async *#train(metricsFile: NdjsonFile): AsyncGenerator<RunEvent> {
    const { components, goingOn, profile, device } = this.#parts;
    const { tokenizer, trainer, metrics, trial } = components;
    profile?.begin();
    const { model, fingerprint, disk } = goingOn ?? (yield* this.#begin());
    const run = this.#describe(fingerprint);
    const warnings: WarningEvent[] = [];
    let saved = goingOn?.point.path;
    const context: TrainingContext = {
      tokenizer,
      model,
      data: this.#data,
      metrics,
      seed: this.#parts.seed,
      signal: this.signal,
      saveCheckpoint: async (checkpoint, keep) => {
        saved = await saveCheckpoint(this.directory, checkpoint, {
          config: describedConfig(model),
          run: { ...run, metricsBytes: metricsFile.size },
          flush: () => metricsFile.flush(),
          ...(keep !== undefined && { keep }),
          onWarning: (warning) => warnings.push(warning),
        });
        return saved;
      },
      ...(trial.overfitBatch !== undefined && { overfits: true }),
      ...(device && { device }),
      ...(goingOn && { resume: goingOn.point }),
      ...(profile && { profiler: profile.profiler }),
    };
    yield* this.#first(context, disk);
    const verdict = trial.overfitBatch === undefined ? undefined : new OverfitVerdict(trial.overfitBatch);
    if (verdict !== undefined && goingOn !== undefined)
      for await (const event of readEvents(this.#parts.directory.metrics)) verdict.add(event);
    let use = device && deviceUse(device);
    let end: EndEvent | undefined;
    const system = new SystemMonitor();
    const events = this.#explained(trainer.train(context), () => saved);
    for await (const event of profile?.timed(events) ?? events) {
      yield* warnings.splice(0);
      verdict?.add(event);
      if (event.type === "step" && use !== undefined) {
        // By then its graphs are compiled.
        yield* use();
        use = undefined;
      }
      // Held back until it is known to be true.
      if (event.type === "end") end = event;
      else yield event;
      if (event.type !== "step") continue;
      const used = system.after(event.step);
      if (used !== undefined) yield used;
      if (event.step !== 1) continue;
      const warning = firstLossWarning(event, model, trainer, weightsOf(components.resolved.model));
      if (warning !== undefined) yield warning;
    }
    if (end === undefined || (end.step === 0 && end.reason !== "interrupted"))
      throw Object.assign(new Error("The trainer ended without one step: nothing was trained."), {
        code: "NOTHING_TRAINED",
      });
    yield* warnings.splice(0);
    const overfit = end.reason === "interrupted" ? undefined : verdict?.tell(end.step);
    if (overfit !== undefined) yield overfit;
    if (profile !== undefined) yield await profile.finish(this.directory, end.step);
    yield this.#ended(end);
  }

  /** To a trainer, a run that a callback stopped is one that was interrupted. */
  #ended(end: EndEvent): EndEvent {
    if (this.#stopped === undefined || end.reason !== "interrupted") return end;
    if (this.#parts.options.signal?.aborted === true) return end;
    return { ...end, reason: "stopped", message: this.#stopped };
  }

  /** The events of a trainer; what it throws says at which step, and what is saved. */
  async *#explained(
    events: AsyncIterable<TrainingEvent>,
    saved: () => string | undefined,
  ): AsyncGenerator<TrainingEvent> {
    const { components, goingOn } = this.#parts;
    let step = goingOn?.point.step ?? 0;
    const iterator = events[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { value, done } = await iterator.next().catch((error: unknown) => {
          const trainer = components.origins.find(({ kind }) => kind === "trainer");
          const resumes = components.trainer.resumes === true;
          const directory = displayPath(this.directory);
          throw explainFailure(error, trainer, { step, saved: saved(), directory, resumes });
        });
        if (done === true) return;
        if (value.type === "step") step = value.step;
        yield value;
      }
    } finally {
      // Whoever reads the events may have stopped.
      await iterator.return?.();
    }
  }

  /** What comes before the first step of a new run: its tokenizer learns, and its directory is completed. */
  async *#begin(): AsyncGenerator<RunEvent, Pick<GoingOn, "model" | "fingerprint" | "disk">> {
    const { components, directory } = this.#parts;
    const { tokenizer, trainer } = components;
    const data = this.#data;
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
    const disk = await requireRunRoom(this.directory, model, trainer);
    return { model, fingerprint, disk };
  }

  /** What is told first: of a run that goes on without looking at its data again, unless that says how long it is. */
  async *#first(context: TrainingContext, disk: DiskUse): AsyncGenerator<RunEvent> {
    const { components, directory, goingOn } = this.#parts;
    const { trainer, origins } = components;
    const notes = [...trialNotes(components.trial), ...components.notes];
    const isKnown = goingOn !== undefined && trainer.maxSteps !== undefined;
    const plan: TrainingPlan = isKnown ? {} : ((await trainer.prepare?.(context)) ?? {});
    const { maxSteps = trainer.maxSteps, data: survey } = plan;
    if (maxSteps !== undefined) context.profiler?.plan(maxSteps - (goingOn?.point.step ?? 0));
    const common = {
      run: directory.name,
      parameters: countParameters(context.model),
      ...(maxSteps !== undefined && { maxSteps }),
      components: origins,
    };
    if (goingOn !== undefined) {
      const { changes, notes: found } = goingOn;
      const { step, path } = goingOn.point;
      const all = [...trialNotes(components.trial), ...found];
      yield { type: "resume", ...common, disk, step, path, changes, ...(all.length > 0 && { notes: all }) };
      return;
    }
    const { device } = this.#parts;
    const allNotes = [...notes, ...(device === undefined ? [] : [`computes on ${device.label}`])];
    yield {
      type: "start",
      ...common,
      ...(survey && { data: survey }),
      disk,
      ...(allNotes.length > 0 && { notes: allNotes }),
    };
    yield* plan.warnings ?? [];
    if (context.overfits) return;
    const { data, tokenizer, model, signal } = context;
    const overlap = await overlapWarning(data, tokenizer, model.task, signal);
    if (overlap !== undefined) yield overlap;
  }

  #describe(fingerprint: string): Omit<CheckpointRun, "metricsBytes"> {
    const { seed, components, device } = this.#parts;
    return {
      config: describeConfig(seed, components),
      components: components.origins,
      fingerprint,
      versions: versionsNow().versions,
      ...(device && { device: device.label }),
    };
  }
}

/** What is known of the weights that a model was created with. */
function weightsOf(model: ResolvedSlot): InitialWeights {
  if ("object" in model) return "unknown";
  return model.options.from === undefined ? "fresh" : "pretrained";
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
