import type { Split } from "../data-loaders/index.ts";
import type { MetricValue } from "../metrics/index.ts";
import type { DataSurvey } from "./data-survey.ts";
import type { TrainingProfile } from "./training-profiler.ts";

/** Where the time since the step before went, in seconds, by this thread's clock. What is missing took none. */
export interface StepSeconds {
  /** Waiting for the batches: more than nearly nothing means that the data is too slow. */
  readonly data: number;
  /** Forward and backward passes of all batches. */
  readonly forwardBackward: number;
  /** Clipping and the optimizer. */
  readonly update: number;
  /** Evaluations and samples since the step before. */
  readonly evaluation?: number;
  /** Waiting for checkpoints and copying what goes into them; they are written beside the training. */
  readonly saving?: number;
}

/** One optimizer update. */
export interface StepEvent {
  readonly type: "step";
  /** Updates done so far, from 1. */
  readonly step: number;
  /** Mean cross-entropy of the update's counted tokens, in nats. */
  readonly loss: number;
  /** The rate that this update used. */
  readonly learningRate: number;
  /** Global L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** Tokens that counted in the loss of this update. */
  readonly tokens: number;
  /** Of the tokens that the model read, without padding. */
  readonly tokensPerSecond: number;
  /** Where a trainer measures it. */
  readonly seconds?: StepSeconds;
}

/** A pass over a split without training. */
export interface EvaluationEvent {
  readonly type: "evaluation";
  readonly step: number;
  /** `"data"`: other text than the run's, named in `data`. */
  readonly split: Split | "data";
  readonly data?: string;
  /** Σ token losses / Σ counted tokens over the whole split, in nats: independent of the batch size. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly tokens: number;
  readonly seconds: number;
  /** What metrics and data loader say of it, where it is the only event (`codex-ml evaluate`). */
  readonly warnings?: readonly string[];
}

/** Text that the model wrote along the way. */
export interface SampleEvent {
  readonly type: "sample";
  readonly step: number;
  readonly prompt: string;
  /** What follows the prompt. */
  readonly text: string;
}

/** What a classifier got most wrong in an evaluation: the examples with the largest loss. */
export interface MistakesEvent {
  readonly type: "mistakes";
  readonly step: number;
  readonly split: Split;
  /** Largest loss first. */
  readonly mistakes: readonly {
    /** As far as the model saw it. */
    readonly text: string;
    readonly expected: readonly string[];
    readonly predicted: readonly string[];
    /** Of what was expected, in [0, 1]. */
    readonly probability: number;
    /** In nats. */
    readonly loss: number;
  }[];
}

/** A checkpoint that is whole and on disk. */
export interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly step: number;
  /** Relative to the run directory. */
  readonly path: string;
}

/** Something that a colleague would point out, said once. */
export interface WarningEvent {
  readonly type: "warning";
  readonly code: string;
  /** What was found, and what to do about it. */
  readonly message: string;
  /** The numbers in it, by name. */
  readonly numbers?: Readonly<Record<string, number>>;
}

/** Whether a few batches were learned by heart: the last event but one of a run with `overfitBatch`. */
export interface OverfitEvent {
  readonly type: "overfit";
  readonly step: number;
  /** Batches that were trained on. */
  readonly batches: number;
  /** Of the last evaluation, which was on the same batches; in nats. */
  readonly loss: number;
  /** What it had to come down to. */
  readonly threshold: number;
  readonly passed: boolean;
  /** The same in words, and what is usually wrong where it did not. */
  readonly message: string;
}

/** Where the time went, of a run that was to be profiled: the event before the last. */
export interface ProfileEvent {
  readonly type: "profile";
  readonly step: number;
  /** The file that has this and more, relative to the run directory. */
  readonly path: string;
  readonly profile: TrainingProfile;
  /** Seconds of the whole run by what it did. `preparation` goes until the first step is done. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** The last event of a trainer that went to its end. */
export interface EndEvent {
  readonly type: "end";
  readonly step: number;
  /** `earlyStopping`: evaluations no longer got better. `stopped`: a callback of the program asked for it. */
  readonly reason: "maxSteps" | "interrupted" | "earlyStopping" | "stopped";
  /** Who stopped it, and why. */
  readonly message?: string;
}

/** What a trainer yields. */
export type TrainingEvent =
  | StepEvent
  | EvaluationEvent
  | SampleEvent
  | MistakesEvent
  | CheckpointEvent
  | WarningEvent
  | EndEvent;

/** Which component took part, and where it came from. */
export interface ComponentOrigin {
  readonly kind: string;
  readonly name: string;
  readonly origin: string;
}

/** What a run's checkpoints take on disk, in bytes. */
export interface DiskUse {
  /** One of them. */
  readonly checkpoint: number;
  /** How many are kept. */
  readonly kept: number;
  /** To come: those that are kept and the one being written, less those that are there already. */
  readonly needed: number;
}

/** The first event of a run. */
export interface StartEvent {
  readonly type: "start";
  readonly run: string;
  /** Trained numbers in the model. */
  readonly parameters: number;
  /** Updates that the trainer plans, when it knows. */
  readonly maxSteps?: number;
  readonly components: readonly ComponentOrigin[];
  /** What of the training data is read, cut and left out, where the trainer looks. */
  readonly data?: DataSurvey;
  /** What its checkpoints will take. */
  readonly disk?: DiskUse;
  /** What else to know before the first step, as sentences: which weights it starts from. */
  readonly notes?: readonly string[];
}

/** A value of a run that is another since it was resumed; undefined where there is none. */
export interface RunChange {
  /** `trainer.learningRate` */
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/** The first event of a run that goes on. It is told, but not written into `metrics.ndjson`, which reads as one run. */
export interface ResumeEvent extends Omit<StartEvent, "type"> {
  readonly type: "resume";
  /** Updates done. */
  readonly step: number;
  /** The checkpoint that it goes on from, relative to the run directory. Without: from the beginning. */
  readonly path?: string;
  readonly changes: readonly RunChange[];
}

/** What the process uses, with the first step and then every few seconds. */
export interface SystemEvent {
  readonly type: "system";
  readonly step: number;
  /** Memory of the process, in bytes: resident set size. */
  readonly rss: number;
  /** JavaScript objects, in bytes; tensors are not among them. */
  readonly heapUsed: number;
  /** What the machine, or the container, has left for the process, in bytes. */
  readonly availableMemory: number;
  /** Processor time by wall-clock time since the system event before: 100 is one core. */
  readonly cpuPercent: number;
}

/** The last event of a run that failed. */
export interface ErrorEvent {
  readonly type: "error";
  readonly code: string;
  readonly message: string;
}

/** What listeners of a run see: one JSON object a line of `metrics.ndjson`. */
export type RunEvent =
  | StartEvent
  | ResumeEvent
  | TrainingEvent
  | OverfitEvent
  | SystemEvent
  | ProfileEvent
  | ErrorEvent;
