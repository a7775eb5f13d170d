import type { DataLoader } from "../data-loaders/index.ts";
import type { Metric } from "../metrics/index.ts";
import type { Model, Task } from "../models/index.ts";
import {
  type ArgumentsFor,
  type Definition,
  globalRegistry,
  type RegistryKind,
  type ResultFor,
} from "../registry/index.ts";
import type { Device, HostTensor } from "../runtime/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import type { causalLm } from "./causal-lm.ts";
import type { DataSurvey } from "./data-survey.ts";
import type { TrainingEvent, WarningEvent } from "./events.ts";
import type { maskedLm } from "./masked-lm.ts";
import type { Objective } from "./objective.ts";
import type { sequenceClassification } from "./sequence-classification.ts";
import type { TrainingProfiler } from "./training-profiler.ts";
import type { TrainingTrial } from "./trial.ts";

export type { DataSurvey } from "./data-survey.ts";
export type * from "./events.ts";
export type { TrainingProfile } from "./training-profiler.ts";
export type { TrainingTrial } from "./trial.ts";

/** A metric under the name that the run file gave it. */
export interface NamedMetric {
  readonly name: string;
  readonly metric: Metric;
  /** Where it came from, for messages: `my-extension@1.2.0`. */
  readonly origin?: string;
}

/** Everything that training could go on from. */
export interface Checkpoint {
  readonly step: number;
  readonly parameters: ReadonlyMap<string, HostTensor>;
  /** Optimizer state, one entry a parameter and slot. */
  readonly optimizer: ReadonlyMap<string, HostTensor>;
  /**
   * Plain JSON data that training needs to go on: by convention `data`, the {@link DataPosition}; `sequenceLength`,
   * the tokens of a sequence, which evaluation uses too; and `best` (`{ metric, value }`) where this is the best model so
   * far: the newest of those is kept, and used where a checkpoint has to be chosen.
   */
  readonly state: Readonly<Record<string, unknown>>;
}

/** What a trainer is given: the other four components and the run's services. */
export interface TrainingContext {
  readonly tokenizer: Tokenizer;
  readonly model: Model;
  readonly data: DataLoader;
  readonly metrics: readonly NamedMetric[];
  /** Decides initial weights, order of the data and dropout. */
  readonly seed: number;
  /** When it aborts, the trainer finishes its step, saves a checkpoint, and ends with the reason "interrupted". */
  readonly signal: AbortSignal;
  /**
   * Writes a checkpoint, whole or not at all; gives its path relative to the run directory. The tensors must stay as they are
   * until then; `state` is taken at once.
   *
   * @param keep Checkpoints to keep, this one included; that of the best evaluation is kept besides. Default 2.
   */
  saveCheckpoint(checkpoint: Checkpoint, keep?: number): Promise<string>;
  /**
   * The data is a few batches that are to be learned by heart: it gives the same examples in every pass, and a trainer leaves out
   * dropout and whatever else would change them.
   */
  readonly overfits?: boolean;
  /** What computes, where that is not the CPU. */
  readonly device?: Device;
  /** Where to go on. Only a trainer that `resumes` is given one. */
  readonly resume?: ResumePoint;
  /** There when the run is to be profiled: a trainer gives it to its `TrainingStep`. */
  readonly profiler?: TrainingProfiler;
}

/**
 * A checkpoint to go on from. What the run wrote down after the checkpoint was asked for is forgotten: the trainer goes on as
 * though `saveCheckpoint` had just returned, and yields every event that would have come from there.
 */
export interface ResumePoint extends Checkpoint {
  /** Relative to the run directory: for the `checkpoint` event. */
  readonly path: string;
  /** The optimizer's state is not to be taken: it begins anew. */
  readonly freshOptimizer?: boolean;
}

/** What is known of a training before its first step. */
export interface TrainingPlan {
  /** Updates that it will do. */
  readonly maxSteps?: number;
  /** What it will read. */
  readonly data?: DataSurvey;
  /** What a colleague would point out before the first step. */
  readonly warnings?: readonly WarningEvent[];
}

/** Trains, and says what happens as it happens. */
export interface Trainer {
  /** What the models are for that it trains. Default `causal_lm`. */
  readonly task?: Task;
  /** What a batch of such a model is and how it is judged; evaluating a finished run needs it. Default: next-token prediction. */
  objective?(model: Model): Objective;
  /** Whether `train` goes on from `context.resume`, to the same bytes as if it had not stopped. */
  readonly resumes?: boolean;
  /** Checkpoints that it keeps at most, for an estimate of the room that they take. Default 2. */
  readonly keptCheckpoints?: number;
  /**
   * Shapes of the optimizer's state by name, as its checkpoints have it: for the room that they take. Default: two numbers for each
   * of the model.
   */
  optimizerShapes?(model: Model): ReadonlyMap<string, readonly number[]>;
  /** Updates that `train` will do, when it is known before the data is. */
  readonly maxSteps?: number | undefined;
  /**
   * Looks at the data before the first step. What it finds is told in the run's first event; a run calls it with the context
   * that `train` is given next. Throws when training on such data makes no sense.
   */
  prepare?(context: TrainingContext): Promise<TrainingPlan>;
  /**
   * Measures what training would cost, without training: for `codex-ml train --dry-run`, which says less of trainers without it.
   */
  trial?(context: TrainingContext): Promise<TrainingTrial>;
  /** Yields events in order; the last is an `end`. Throws when training cannot go on. */
  train(context: TrainingContext): AsyncIterable<TrainingEvent>;
}

function checkTrainer(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "an object with train";
  return typeof (value as Partial<Trainer>).train === "function" ? undefined : "a function `train(context)`";
}

export const trainers: RegistryKind<Trainer> = {
  kind: "trainers",
  noun: "trainer",
  group: "codex_ml.trainers",
  check: checkTrainer,
  builtins: {
    causal_lm: {
      load: async () => (await import("./causal-lm.ts")).causalLm,
      description: "Next-token prediction: a model learns to go on with a text.",
    },
    masked_lm: {
      load: async () => (await import("./masked-lm.ts")).maskedLm,
      description: "Masked language modelling (Devlin et al. 2019), with masks drawn anew for every epoch.",
    },
    sequence_classification: {
      load: async () => (await import("./sequence-classification.ts")).sequenceClassification,
      description: "Which class a text belongs to, or which classes where they do not exclude each other.",
    },
  },
};

export const trainerRegistry = globalRegistry(trainers);

/** Registers a trainer under a name; see {@link Registry.register} for the three forms. */
export const registerTrainer = trainerRegistry.register;

declare global {
  namespace CodexMl {
    /** Factories by name, for the types of {@link getTrainer}. Packages and projects add theirs. */
    interface Trainers {
      causal_lm: typeof causalLm;
      masked_lm: typeof maskedLm;
      sequence_classification: typeof sequenceClassification;
    }
  }
}

/**
 * Imports, validates the options of, and builds the trainer `name`. Where `CodexMl.Trainers` knows the name, options and result
 * have its types.
 */
export function getTrainer<Name extends string>(
  name: Name | keyof CodexMl.Trainers,
  ...[options]: ArgumentsFor<CodexMl.Trainers, Name>
): Promise<ResultFor<CodexMl.Trainers, Name, Trainer>> {
  return trainerRegistry.create(name, options) as Promise<ResultFor<CodexMl.Trainers, Name, Trainer>>;
}

/** Describes a trainer: description, options schema, `create`. */
export function defineTrainer<Input, Output>(
  definition: Definition<Trainer, Input, Output>,
): Definition<Trainer, Input, Output> {
  return definition;
}
