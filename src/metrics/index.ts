import {
  type ArgumentsFor,
  type Definition,
  globalRegistry,
  type RegistryKind,
  type ResultFor,
} from "../registry/index.ts";
import type { accuracy } from "./accuracy.ts";
import type { averagePrecisionMetric } from "./average-precision.ts";
import type { bitsPerByte } from "./bits-per-byte.ts";
import type { bleu } from "./bleu.ts";
import type { cer } from "./cer.ts";
import type { chrf } from "./chrf.ts";
import type { confusionMatrix } from "./confusion-matrix.ts";
import type { dist1 } from "./dist-1.ts";
import type { dist2 } from "./dist-2.ts";
import type { editSimilarity } from "./edit-similarity.ts";
import type { exactMatch } from "./exact-match.ts";
import type { expectedCalibrationError } from "./expected-calibration-error.ts";
import type { f1 } from "./f1.ts";
import type { mcc } from "./mcc.ts";
import type { passAtKMetric } from "./pass-at-k.ts";
import type { perplexity } from "./perplexity.ts";
import type { precision } from "./precision.ts";
import type { recall } from "./recall.ts";
import type { rocAuc } from "./roc-auc.ts";
import type { rouge } from "./rouge.ts";
import type { squadF1 } from "./squad-f1.ts";
import type { ter } from "./ter.ts";
import type { tokenAccuracy } from "./token-accuracy.ts";
import type { topKAccuracy } from "./top-k-accuracy.ts";
import type { MetricValue } from "./value.ts";
import type { wer } from "./wer.ts";

export { flatValue, isMetricValue, type MetricValue } from "./value.ts";

/** What a metric can ask the evaluation graph for. Only what some metric reads is computed. */
export type MetricInput =
  | "tokenLosses"
  | "predictedIds"
  | "labelBytes"
  | "topIds"
  | "probabilities"
  | "texts"
  | "outcome";

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
  /**
   * UTF-8 bytes of the original text that each label stands for, shape (n); present when the metric reads `labelBytes`. On average over
   * the split where the tokenizer cannot tell them apart.
   */
  readonly labelBytes?: Int32Array;
  /** The most likely ids at each position, most likely first, (n, k) row by row; present when a metric reads `topIds`. */
  readonly topIds?: Int32Array;
  /**
   * Probabilities of the classes: (n, K) row by row, with n = 1; with `multiLabel` (K), each by itself. Present when the
   * metric reads `probabilities`, which classifiers alone can give.
   */
  readonly probabilities?: Float32Array | Float64Array;
  /** Names of the classes, K of them: the same array with every example of a classifier. */
  readonly classes?: readonly string[];
  readonly multiLabel?: boolean;
  /** The text that was produced, and one or more that it should have been; present when the metric reads `texts`. */
  readonly texts?: { readonly prediction: string; readonly references: readonly string[] };
  /**
   * Whether one attempt at a task succeeded: a program that was generated for the problem `task` and passed its tests.
   * Present when the metric reads `outcome`. A task is attempted several times, in an example each.
   */
  readonly outcome?: { readonly task: string; readonly passed: boolean };
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
    accuracy: {
      load: async () => (await import("./accuracy.ts")).accuracy,
      description: "Share of predictions that are right, or of examples with all labels right.",
    },
    top_k_accuracy: {
      load: async () => (await import("./top-k-accuracy.ts")).topKAccuracy,
      description: "Share of labels among the k most likely predictions.",
    },
    precision: {
      load: async () => (await import("./precision.ts")).precision,
      description: "Share of predictions of a class that are right, averaged over classes.",
    },
    recall: {
      load: async () => (await import("./recall.ts")).recall,
      description: "Share of a class that was predicted, averaged over classes.",
    },
    f1: {
      load: async () => (await import("./f1.ts")).f1,
      description: "Harmonic mean of precision and recall, averaged over classes.",
    },
    mcc: {
      load: async () => (await import("./mcc.ts")).mcc,
      aliases: ["matthews_correlation"],
      description: "Matthews correlation coefficient of predicted and true classes.",
    },
    roc_auc: {
      load: async () => (await import("./roc-auc.ts")).rocAuc,
      description: "Area under the ROC curve, classes against the rest.",
    },
    average_precision: {
      load: async () => (await import("./average-precision.ts")).averagePrecisionMetric,
      description: "Area under the precision-recall curve, classes against the rest.",
    },
    confusion_matrix: {
      load: async () => (await import("./confusion-matrix.ts")).confusionMatrix,
      description: "How often each true class was predicted as each.",
    },
    expected_calibration_error: {
      load: async () => (await import("./expected-calibration-error.ts")).expectedCalibrationError,
      aliases: ["ece"],
      description: "Distance of a classifier's confidence from its accuracy.",
    },
    exact_match: {
      load: async () => (await import("./exact-match.ts")).exactMatch,
      aliases: ["em"],
      description: "Share of generated texts that equal a reference.",
    },
    squad_f1: {
      load: async () => (await import("./squad-f1.ts")).squadF1,
      description: "F1 of the words of answers, from 0 to 100, as SQuAD's.",
    },
    bleu: {
      load: async () => (await import("./bleu.ts")).bleu,
      aliases: ["sacrebleu"],
      description: "Corpus BLEU of generated texts, from 0 to 100, as sacrebleu's.",
    },
    chrf: {
      load: async () => (await import("./chrf.ts")).chrf,
      description: "F-score of character n-grams (chrF, chrF++), from 0 to 100, as sacrebleu's.",
    },
    rouge: {
      load: async () => (await import("./rouge.ts")).rouge,
      description: "ROUGE-1, -2, -L and -Lsum of summaries, as rouge-score's.",
    },
    ter: {
      load: async () => (await import("./ter.ts")).ter,
      description: "Translation edit rate in percent, as sacrebleu's.",
    },
    wer: {
      load: async () => (await import("./wer.ts")).wer,
      description: "Word error rate, as jiwer's.",
    },
    cer: {
      load: async () => (await import("./cer.ts")).cer,
      description: "Character error rate, as jiwer's.",
    },
    dist_1: {
      load: async () => (await import("./dist-1.ts")).dist1,
      aliases: ["dist-1"],
      description: "Distinct words / all words of the generated texts.",
    },
    dist_2: {
      load: async () => (await import("./dist-2.ts")).dist2,
      aliases: ["dist-2"],
      description: "Distinct word pairs / all word pairs of the generated texts.",
    },
    edit_similarity: {
      load: async () => (await import("./edit-similarity.ts")).editSimilarity,
      description: "Similarity of texts by edit distance, as code completion's ES.",
    },
    pass_at_k: {
      load: async () => (await import("./pass-at-k.ts")).passAtKMetric,
      aliases: ["pass@k"],
      description: "Probability that one of k generated programs passes, as HumanEval's.",
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
      accuracy: typeof accuracy;
      top_k_accuracy: typeof topKAccuracy;
      precision: typeof precision;
      recall: typeof recall;
      f1: typeof f1;
      mcc: typeof mcc;
      roc_auc: typeof rocAuc;
      average_precision: typeof averagePrecisionMetric;
      confusion_matrix: typeof confusionMatrix;
      expected_calibration_error: typeof expectedCalibrationError;
      exact_match: typeof exactMatch;
      squad_f1: typeof squadF1;
      bleu: typeof bleu;
      chrf: typeof chrf;
      rouge: typeof rouge;
      ter: typeof ter;
      wer: typeof wer;
      cer: typeof cer;
      dist_1: typeof dist1;
      dist_2: typeof dist2;
      edit_similarity: typeof editSimilarity;
      pass_at_k: typeof passAtKMetric;
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

/**
 * Describes a metric: description, options schema, `create`. What `create` builds is what {@link getMetric} gives, so that
 * `update` and `compute` of a streaming metric can be called as they are.
 */
export function defineMetric<Input, Output, Made extends Metric = Metric>(
  definition: Definition<Made, Input, Output>,
): Definition<Made, Input, Output> {
  return definition;
}
