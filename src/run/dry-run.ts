import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import type { Model } from "../models/index.ts";
import type {
  ComponentOrigin,
  DataSurvey,
  TrainingContext,
  TrainingPlan,
  TrainingTrial,
} from "../trainers/index.ts";
import { foldLayers } from "../trainers/profile-places.ts";
import { buildComponents } from "./components.ts";
import type { ExtendingRunInput, RunConfigInput } from "./config.ts";
import { deviceOf } from "./device.ts";
import { estimateRunBytes } from "./disk-room.ts";
import { refuseOccupied } from "./new-run-directory.ts";
import type { Registries } from "./registries.ts";
import { trialNotes } from "./restricted-data.ts";
import type { RunFile } from "./run-file.ts";
import { runFileOf } from "./train.ts";

export interface DryRunOptions {
  /** Values to replace in a run file that is given by its path: `["trainer.batchSize=8"]`. */
  readonly set?: readonly string[];
  /** A trial: only so many examples of each split are read, the first. */
  readonly limit?: number | undefined;
  /** A trial: the first so many batches are to be learned by heart. */
  readonly overfitBatch?: number | undefined;
  /** The run directory that training would be given; it is looked at, but not made. */
  readonly out?: string | undefined;
  readonly signal?: AbortSignal;
  /** Where names are looked up. Default: the process-wide registries. */
  readonly registries?: Registries;
}

/** Parameters of one part of a model. */
export interface PartParameters {
  /** Path of the module; layers of one kind are one part, `transformer.h.*.attn.c_attn`. */
  readonly part: string;
  /** How many layers that are. */
  readonly count: number;
  /** Shapes of one of them by name: `{ weight: [128, 384], bias: [384] }`. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Numbers of all of them. */
  readonly parameters: number;
  /** Of those the ones that are trained. */
  readonly trained: number;
}

/** What a run would be, and what it would cost. */
export interface DryRun {
  readonly type: "dryRun";
  readonly components: readonly ComponentOrigin[];
  readonly parameters: {
    readonly total: number;
    readonly trained: number;
    readonly parts: readonly PartParameters[];
  };
  /** Measured: the first batch, without an update. Undefined for a trainer that cannot be tried. */
  readonly trial?: TrainingTrial;
  /** Bytes. */
  readonly memory: {
    /** The most that the process had resident: what the run needs, without evaluations, samples and the copy that is saved. */
    readonly process: number;
    /** Of the machine. */
    readonly available: number;
  };
  readonly run: {
    /** Updates, if they are known. */
    readonly steps?: number;
    /** Estimated for them all, by the time of the first batch; evaluations, samples and checkpoints come on top. */
    readonly seconds?: number;
  };
  /** Bytes of the checkpoints that are there at a time, at most, and the room on the disk where it is known. */
  readonly disk: { readonly checkpoints: number; readonly room?: number };
  readonly data?: DataSurvey;
  /** What a run would warn of before its first step. */
  readonly warnings: readonly string[];
  /** What else there is to know, such as which weights it starts from. */
  readonly notes: readonly string[];
}

/**
 * Builds everything that a run needs (the tokenizer is trained, the data looked at), and runs one batch forward and backward. No
 * weight changes, and no run directory is made.
 *
 * @throws what `train` and its first step would throw.
 */
export async function dryRun(
  run: string | RunConfigInput | ExtendingRunInput | RunFile,
  options: DryRunOptions = {},
): Promise<DryRun> {
  const { out, signal = new AbortController().signal, registries } = options;
  const runFile = await runFileOf(run, options);
  const components = await buildComponents(runFile, registries);
  if (out !== undefined) await refuseOccupied(out);
  const { tokenizer, data, trainer, metrics } = components;
  if (!components.tokenizerIsTrained) await tokenizer.train?.(data.texts("train"));
  const model = await components.createModel(tokenizer.vocabSize);
  const device = deviceOf(runFile);
  const context: TrainingContext = {
    ...{ tokenizer, model, data, metrics, signal },
    seed: runFile.config.seed,
    ...(device && { device }),
    ...(components.trial.overfitBatch !== undefined && { overfits: true }),
    saveCheckpoint: () => Promise.reject(new Error("A dry run saves nothing.")),
  };
  const plan: TrainingPlan = (await trainer.prepare?.(context)) ?? {};
  const { maxSteps = trainer.maxSteps, data: survey } = plan;
  const trial = await trainer.trial?.(context);
  const frozen = new Set(trial?.frozen);
  const parts = partsOf(model, frozen);
  const sum = (of: (part: PartParameters) => number) => parts.reduce((total, part) => total + of(part), 0);
  const room = await roomOf(out ?? ".");
  return {
    type: "dryRun",
    components: components.origins,
    parameters: { total: sum((part) => part.parameters), trained: sum((part) => part.trained), parts },
    ...(trial && { trial }),
    memory: { process: process.resourceUsage().maxRSS * 1024, available: totalmem() },
    run: {
      ...(maxSteps !== undefined && { steps: maxSteps }),
      ...(maxSteps !== undefined && trial && { seconds: maxSteps * trial.seconds.step }),
    },
    disk: { checkpoints: estimateRunBytes(model, trainer), ...(room !== undefined && { room }) },
    ...(survey && { data: survey }),
    warnings: [
      ...components.problems,
      ...(tokenizer.notes?.() ?? []),
      ...(data.notes?.() ?? []),
      ...(plan.warnings ?? []).map(({ message }) => message),
    ],
    notes: [
      ...trialNotes(components.trial),
      ...components.notes,
      ...(device === undefined ? [] : [`computes on ${device.label}`]),
    ],
  };
}

function partsOf(model: Model, frozen: ReadonlySet<string>): PartParameters[] {
  const parts = new Map<
    string,
    { of: Set<string>; shapes: Record<string, readonly number[]>; parameters: number; trained: number }
  >();
  for (const { name, dims } of model.parameters()) {
    const [, path = "", last = name] = /^(?:(.*)\.)?([^.]*)$/.exec(name) ?? [];
    const key = foldLayers(path);
    const part = parts.get(key) ?? { of: new Set<string>(), shapes: {}, parameters: 0, trained: 0 };
    parts.set(key, part);
    const size = dims.reduce((product, dim) => product * dim, 1);
    part.of.add(path);
    part.shapes[last] = dims;
    part.parameters += size;
    if (!frozen.has(name)) part.trained += size;
  }
  return [...parts].map(([part, { of, ...rest }]) => ({ part, count: of.size, ...rest }));
}

/** Bytes that are free where a run directory would be. */
async function roomOf(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    // The folder is not there yet, or the file system does not say.
    return path === "." ? undefined : roomOf(".");
  }
}
