import {
  type ArgumentsFor,
  type Definition,
  globalRegistry,
  type RegistryKind,
  type ResultFor,
} from "../registry/index.ts";
import type { bitsPerByte } from "./bits-per-byte.ts";
import type { perplexity } from "./perplexity.ts";
import type { tokenAccuracy } from "./token-accuracy.ts";
import type { MetricValue } from "./value.ts";

export { flatValue, isMetricValue, type MetricValue } from "./value.ts";

/** What a metric can ask the evaluation graph for. Only what some metric reads is computed. */
export type MetricInput =
  | "tokenLosses"
  | "predictedIds"
  | "labelBytes"
  | "topIds"
  | "probabilities"
  | "texts";

/**
 * One evaluated sequence: only the positions that count. Padding and ignored labels (−100) are gone, and labels are
 * already shifted, so that position `i` of every array speaks of the same predicted token.
 *
 * Of a classifier, n is 1: the label is the number of the class, and `classes` names all of them. Where classes do not
 * exclude each other (`multiLabel`), n is the number of classes: `labels[i]` and `predictedIds[i]` are 1 where class `i`
 * holds, and 0 where it does not.
 */
export interface EvaluatedExample {
  /** Ids that should have been predicted, shape (n). */
  readonly labels: Int32Array;
  /** Cross-entropy of each label in nats, shape (n); present when the metric reads `tokenLosses`. */
  readonly tokenLosses?: Float32Array;
  /** Most likely id at each position, shape (n); present when the metric reads `predictedIds`. */
  readonly predictedIds?: Int32Array;
  /** UTF-8 bytes that each label stands for, shape (n); present when the metric reads `labelBytes`. */
  readonly labelBytes?: Int32Array;
  /** The most likely ids at each position, most likely first, (n, k) row by row; present when a metric reads `topIds`. */
  readonly topIds?: Int32Array;
  /**
   * Probabilities of the classes: (n, K) row by row, with n = 1; with `multiLabel` (K), each by itself. Present when the
   * metric reads `probabilities`, which classifiers alone can give.
   */
  readonly probabilities?: Float32Array;
  /** Names of the classes, K of them: the same array with every example of a classifier. */
  readonly classes?: readonly string[];
  readonly multiLabel?: boolean;
  /** The text that was produced, and one or more that it should have been; present when the metric reads `texts`. */
  readonly texts?: { readonly prediction: string; readonly references: readonly string[] };
}

/** A metric that sees a split one sequence at a time. Its state merges, so that several processes agree exactly. */
export interface StreamingMetric {
  readonly reads: readonly MetricInput[];
  update(example: EvaluatedExample): void;
  compute(): MetricValue;
  reset(): void;
  /** Plain JSON data from which `merge` goes on. */
  state(): unknown;
  /** Adds the state of another instance of the same metric to this one. */
  merge(state: unknown): void;
  /** Why what `compute` gave is `NaN`, or what else to know about it, as sentences. */
  warnings?(): readonly string[];
  /** How many ids a position it wants in `topIds`. Required when it reads them. */
  readonly topK?: number;
}

/** The simple case: a function of all predicted and expected ids of a split, one sequence an entry. */
export type MetricFunction = (data: {
  readonly predictions: readonly ArrayLike<number>[];
  readonly references: readonly ArrayLike<number>[];
}) => MetricValue;

export type Metric = StreamingMetric | MetricFunction;

function checkMetric(value: unknown): string | undefined {
  if (typeof value === "function") return undefined;
  if (typeof value !== "object" || value === null) return "a function or an object with update and compute";
  const metric = value as Partial<StreamingMetric>;
  if (!Array.isArray(metric.reads)) return "an array `reads` of what it needs";
  for (const method of ["update", "compute", "reset", "state", "merge"] as const)
    if (typeof metric[method] !== "function") return `a function \`${method}\``;
  return undefined;
}

export const metrics: RegistryKind<Metric> = {
  kind: "metrics",
  noun: "metric",
  group: "codex_ml.metrics",
  check: checkMetric,
  builtins: {
    perplexity: {
      load: async () => (await import("./perplexity.ts")).perplexity,
      aliases: ["ppl"],
      description: "exp of the mean cross-entropy per token.",
    },
    bits_per_byte: {
      load: async () => (await import("./bits-per-byte.ts")).bitsPerByte,
      description: "Cross-entropy in bits per UTF-8 byte: comparable across tokenizers.",
    },
    token_accuracy: {
      load: async () => (await import("./token-accuracy.ts")).tokenAccuracy,
      aliases: ["accuracy@token"],
      description: "Share of tokens whose most likely prediction is right.",
    },
  },
};

export const metricRegistry = globalRegistry(metrics);

/** Registers a metric under a name; see {@link Registry.register} for the three forms. */
export const registerMetric = metricRegistry.register;

declare global {
  namespace CodexMl {
    /** Factories by name, for the types of {@link getMetric}. Packages and projects add theirs. */
    interface Metrics {
      perplexity: typeof perplexity;
      bits_per_byte: typeof bitsPerByte;
      token_accuracy: typeof tokenAccuracy;
    }
  }
}

/**
 * Imports, validates the options of, and builds the metric `name`. Where `CodexMl.Metrics` knows the name, options and result
 * have its types.
 */
export function getMetric<Name extends string>(
  name: Name | keyof CodexMl.Metrics,
  ...[options]: ArgumentsFor<CodexMl.Metrics, Name>
): Promise<ResultFor<CodexMl.Metrics, Name, Metric>> {
  return metricRegistry.create(name, options) as Promise<ResultFor<CodexMl.Metrics, Name, Metric>>;
}

/** Describes a metric: description, options schema, `create`. */
export function defineMetric<Input, Output>(
  definition: Definition<Metric, Input, Output>,
): Definition<Metric, Input, Output> {
  return definition;
}
