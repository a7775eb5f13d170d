import type { Split } from "../data-loaders/index.ts";
import {
  type EvaluatedExample,
  isMetricValue,
  type MetricInput,
  type MetricValue,
} from "../metrics/index.ts";
import type { Model } from "../models/index.ts";
import { evaluationContext, IGNORE_INDEX } from "../nn/index.ts";
import { type Call, Program, TensorBuffer } from "../runtime/index.ts";
import { argmax, reshape } from "../tensor/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { type Batch, type BatchOptions, evaluationBatches } from "./batching.ts";
import { traceCausal } from "./causal-graph.ts";
import { TrainingError } from "./errors.ts";
import type { NamedMetric } from "./index.ts";
import type { Weights } from "./weights.ts";

export interface Evaluation {
  /** Σ token losses / Σ counted tokens over the split, in nats. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** Tokens that counted. */
  readonly tokens: number;
  readonly seconds: number;
}

/** The evaluation graph of a model, compiled once: losses a token, and predicted ids where a metric reads them. */
export class Evaluator {
  readonly #options: BatchOptions;
  readonly #metrics: readonly NamedMetric[];
  readonly #reads: ReadonlySet<MetricInput>;
  readonly #program: Program;
  readonly #batch: { readonly input_ids: TensorBuffer<"int32">; readonly labels: TensorBuffer<"int32"> };
  readonly #losses: TensorBuffer<"float32">;
  readonly #predictions: TensorBuffer<"int32"> | undefined;
  readonly #calls = new WeakMap<Weights, Call>();

  constructor(model: Model, metrics: readonly NamedMetric[], options: BatchOptions) {
    const { batchSize, sequenceLength } = options;
    const shape = [batchSize, sequenceLength];
    const rows = batchSize * sequenceLength;
    this.#options = options;
    this.#metrics = metrics;
    this.#reads = new Set(
      metrics.flatMap(({ metric }) =>
        typeof metric === "function" ? ["predictedIds" as const] : metric.reads,
      ),
    );
    const predicts = this.#reads.has("predictedIds");
    const { inputIds, labels, logits, losses } = traceCausal(
      model,
      batchSize,
      sequenceLength,
      evaluationContext(),
    );
    this.#program = new Program({
      inputs: [inputIds, labels, ...model.parameters()],
      outputs: { losses, ...(predicts && { predictions: reshape(argmax(logits), [rows]) }) },
    });
    this.#batch = {
      input_ids: new TensorBuffer({ dtype: "int32", shape }),
      labels: new TensorBuffer({ dtype: "int32", shape }),
    };
    this.#losses = new TensorBuffer({ dtype: "float32", shape: [rows] });
    this.#predictions = predicts ? new TensorBuffer({ dtype: "int32", shape: [rows] }) : undefined;
  }

  /**
   * One pass over a split. The loss and every metric are independent of the batch size.
   *
   * @throws TrainingError when the split has no token that counts.
   */
  async evaluate(split: Split, weights: Weights, signal?: AbortSignal): Promise<Evaluation> {
    const started = performance.now();
    const pairs: Pairs = { predictions: [], references: [] };
    const call = this.#callFor(weights);
    for (const named of this.#metrics)
      guarded(named, ({ metric }) => typeof metric !== "function" && metric.reset());
    let sum = 0;
    let tokens = 0;
    for await (const batch of evaluationBatches(split, this.#options)) {
      signal?.throwIfAborted();
      this.#batch.input_ids.data.set(batch.inputIds);
      this.#batch.labels.data.set(batch.labels);
      await call.run();
      for (const example of this.#examples(batch)) {
        for (const loss of example.tokenLosses) sum += loss;
        tokens += example.labels.length;
        this.#update(example, pairs);
      }
    }
    if (tokens === 0)
      throw new TrainingError(
        "NOTHING_TO_EVALUATE",
        `The ${split} split has no token to predict: it is empty or too short.`,
      );
    if (!Number.isFinite(sum))
      throw new TrainingError(
        "WEIGHTS_BROKEN",
        `The loss over the ${split} split is ${sum / tokens}: the weights are broken.`,
      );
    const metrics = Object.fromEntries(
      this.#metrics.map((named) => [
        named.name,
        guarded(named, ({ metric }) =>
          checkValue(typeof metric === "function" ? metric(pairs) : metric.compute()),
        ),
      ]),
    );
    return { loss: sum / tokens, metrics, tokens, seconds: (performance.now() - started) / 1000 };
  }

  #callFor(weights: Weights): Call {
    const outputs = { losses: this.#losses, ...(this.#predictions && { predictions: this.#predictions }) };
    const call = this.#calls.get(weights) ?? this.#program.bind({ ...this.#batch, ...weights }, outputs);
    this.#calls.set(weights, call);
    return call;
  }

  /** The rows of a batch without the positions that do not count. */
  *#examples(batch: Batch): Generator<EvaluatedExample & { readonly tokenLosses: Float32Array }> {
    const { sequenceLength, tokenizer } = this.#options;
    for (let row = 0; row < batch.rows; row++) {
      const places = Array.from({ length: sequenceLength }, (_, at) => row * sequenceLength + at).filter(
        (place) => batch.labels[place] !== IGNORE_INDEX,
      );
      const labels = Int32Array.from(places, (place) => batch.labels[place] ?? 0);
      const predictions = this.#predictions;
      yield {
        labels,
        tokenLosses: Float32Array.from(places, (place) => this.#losses.data[place] ?? Number.NaN),
        ...(predictions && {
          predictedIds: Int32Array.from(places, (place) => predictions.data[place] ?? -1),
        }),
        ...(this.#reads.has("labelBytes") && { labelBytes: labels.map((id) => byteLength(tokenizer, id)) }),
      };
    }
  }

  #update(example: EvaluatedExample, pairs: Pairs): void {
    for (const named of this.#metrics)
      guarded(named, ({ metric }) => typeof metric !== "function" && metric.update(example));
    if (
      example.predictedIds === undefined ||
      this.#metrics.every(({ metric }) => typeof metric !== "function")
    )
      return;
    pairs.predictions.push(example.predictedIds);
    pairs.references.push(example.labels);
  }
}

/** Calls a metric; what it throws is said to be that metric's. */
function guarded<Result>(named: NamedMetric, call: (named: NamedMetric) => Result): Result {
  try {
    return call(named);
  } catch (cause) {
    const owner = named.origin === undefined ? "" : ` (${named.origin})`;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TrainingError("METRIC_FAILED", `The metric "${named.name}"${owner} failed: ${why}`, { cause });
  }
}

/** What a metric computed, if it is what the contract says. */
function checkValue(value: unknown): MetricValue {
  if (isMetricValue(value)) return value;
  throw new TypeError(
    `it gave ${value === undefined ? "undefined (a forgotten return?)" : JSON.stringify(value)}; a metric gives a number, or an object of numbers`,
  );
}

interface Pairs {
  readonly predictions: Int32Array[];
  readonly references: Int32Array[];
}

/** UTF-8 bytes of what an id stands for. */
function byteLength(tokenizer: Tokenizer, id: number): number {
  return tokenizer.byteLength?.(id) ?? new TextEncoder().encode(tokenizer.decode([id])).length;
}
