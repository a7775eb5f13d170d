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
export function defineRun(config: RunConfigInput): RunConfigInput {
  return config;
}
