import type { DataLoader } from "../data-loaders/index.ts";
import type { Metric } from "../metrics/index.ts";
import type { Model } from "../models/index.ts";
import type { PluginSelection } from "../registry/index.ts";
import type { DeviceChoice } from "../runtime/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import type { Trainer } from "../trainers/index.ts";

/** A component by name, with its options beside the name. */
export interface NamedSlot {
  readonly name: string;
  readonly [option: string]: unknown;
}

/** What may stand for a component: a name, a name with options, or (from a program) the object itself. */
export type ComponentSlot<Component> = string | NamedSlot | Component;

/** Which packages may bring components, and which of them answers for a name that two claim. */
export type PluginsSetting =
  | PluginSelection
  | {
      /** `"auto"`: every direct dependency of the project. Default `"auto"`. */
      readonly packages?: PluginSelection;
      /** Package by component, for example `{ "metrics/toy_metric": "my-extension" }`. */
      readonly pins?: Readonly<Record<string, string>>;
    };

/** A run as it is written: in YAML, JSON, TypeScript, or given to `train`. */
export interface RunConfigInput {
  /** Version of the format of run files. Default 1, the only one so far. */
  readonly format?: 1;
  /** Decides initial weights, the order of the data and dropout. Default 1337. */
  readonly seed?: number;
  /**
   * What computes. `"auto"`: a GPU by CUDA or WebGPU where there is one, else the CPU. Default `"cpu"`, whose results are the
   * same bytes on every machine of a kind.
   */
  readonly device?: DeviceChoice;
  readonly tokenizer: ComponentSlot<Tokenizer>;
  readonly data: ComponentSlot<DataLoader>;
  readonly model: ComponentSlot<Model>;
  readonly trainer: ComponentSlot<Trainer>;
  /** Default: `perplexity` for language models, `accuracy` for classifiers. */
  readonly metrics?: readonly ComponentSlot<Metric>[];
  /** Default `"auto"`. */
  readonly plugins?: PluginsSetting;
  /** Modules of the project that register components, imported before names are looked up: `["./local.ts"]`. */
  readonly imports?: readonly string[];
  /** Folder that relative paths in options refer to, itself relative to the run file's. Default: the run file's folder. */
  readonly directory?: string;
  /** A trial: only so many examples of each split are read, the first. */
  readonly limit?: number;
  /** A trial: the first so many batches are to be learned by heart. */
  readonly overfitBatch?: number;
}

/** What a run is restricted to when it is tried before the long one. */
export interface Trial {
  /** Examples of each split that are read. */
  readonly limit?: number;
  /** Batches that are trained on, again and again, and evaluated. */
  readonly overfitBatch?: number;
}

/** Of a run's configuration, what makes it a trial. */
export function trialOf({ limit, overfitBatch }: Pick<RunConfig, keyof Trial>): Trial {
  return { ...(limit !== undefined && { limit }), ...(overfitBatch !== undefined && { overfitBatch }) };
}

/** A component as a file that extends another may write it: options alone change those of the base's component. */
type ExtendingSlot<Component> = ComponentSlot<Component> | Readonly<Record<string, unknown>>;

/** Keys that are no component, as a file that extends another may write them: null takes back what that says. */
type ExtendingKeys = {
  readonly [Key in Exclude<keyof RunConfigInput, "tokenizer" | "data" | "model" | "trainer">]?:
    | RunConfigInput[Key]
    | null;
};

/** A run that extends run files: it need give only what is another than there. */
export interface ExtendingRunInput extends ExtendingKeys {
  /** Run files, relative to this one; the last goes before the others. */
  readonly extends: string | readonly string[];
  readonly tokenizer?: ExtendingSlot<Tokenizer>;
  readonly data?: ExtendingSlot<DataLoader>;
  readonly model?: ExtendingSlot<Model>;
  readonly trainer?: ExtendingSlot<Trainer>;
}

/** A component to be built from its name and options. */
export interface NamedComponent {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A component that the program built itself. */
export interface GivenComponent<Component> {
  readonly object: Component;
  /** What it is called in results and messages: the name of its class or function. */
  readonly name: string;
}

export type Slot<Component> = NamedComponent | GivenComponent<Component>;

export function isGiven<Component>(slot: Slot<Component>): slot is GivenComponent<Component> {
  return "object" in slot;
}

/** A run whose top level was checked and completed. The options of its components are not checked yet. */
export interface RunConfig {
  readonly format: 1;
  readonly seed: number;
  readonly device: DeviceChoice;
  readonly tokenizer: Slot<Tokenizer>;
  readonly data: Slot<DataLoader>;
  readonly model: Slot<Model>;
  readonly trainer: Slot<Trainer>;
  /** Undefined: those that the trainer's task has by default. */
  readonly metrics: readonly Slot<Metric>[] | undefined;
  /** What was written; the project's own settings hold for the rest. */
  readonly plugins: {
    readonly packages?: PluginSelection;
    readonly pins?: Readonly<Record<string, string>>;
  };
  readonly imports: readonly string[];
  /** As it was written. */
  readonly directory: string | undefined;
  readonly limit: number | undefined;
  readonly overfitBatch: number | undefined;
}

/** As {@link RunConfig}, of a run whose top level may have mistakes: what cannot be read as a component is undefined. */
export interface PartialRunConfig
  extends Omit<RunConfig, "tokenizer" | "data" | "model" | "trainer" | "metrics"> {
  readonly tokenizer: Slot<Tokenizer> | undefined;
  readonly data: Slot<DataLoader> | undefined;
  readonly model: Slot<Model> | undefined;
  readonly trainer: Slot<Trainer> | undefined;
  readonly metrics: readonly (Slot<Metric> | undefined)[] | undefined;
}

/**
 * Types a run file written in TypeScript.
 *
 * @example
 * export default defineRun({
 *   tokenizer: { name: "bpe", vocabSize: 1024 },
 *   data: { name: "text", path: "./moby-dick.txt" },
 *   model: "gpt2",
 *   trainer: { name: "causal_lm", maxSteps: 1000 },
 * });
 */
export function defineRun(config: RunConfigInput | ExtendingRunInput): RunConfigInput | ExtendingRunInput {
  return config;
}
