import type { Split } from "../data-loaders/index.ts";
import {
  type EvaluatedExample,
  isMetricValue,
  type MetricInput,
  type MetricValue,
} from "../metrics/index.ts";
import type { Model } from "../models/index.ts";
import { evaluationContext } from "../nn/index.ts";
import { type Call, type Device, Program, TensorBuffer } from "../runtime/index.ts";
import { staticShape } from "../tensor/index.ts";
import { type Batch, type BatchOptions, evaluationBatches } from "./batching.ts";
import { causalObjective } from "./causal-objective.ts";
import { TrainingError } from "./errors.ts";
import type { MistakesEvent, NamedMetric } from "./index.ts";
import { bytesPerId, labelBytes } from "./label-bytes.ts";
import type { EvaluatedRow, Objective, Wanted } from "./objective.ts";
import { type BatchForm, batchBuffers, feedsOf, formOf, traceBatch } from "./traced-batch.ts";
import type { Weights } from "./weights.ts";

export interface Evaluation {
  /** Σ losses / Σ counted labels over the split, in nats. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** Labels that counted. */
  readonly tokens: number;
  readonly seconds: number;
}

/** The evaluation of a model: losses, and of predictions only what some metric reads. Its graphs are compiled once. */
export class Evaluator {
  readonly #model: Model;
  readonly #options: BatchOptions;
  readonly #objective: Objective;
  readonly #metrics: readonly NamedMetric[];
  readonly #wanted: Wanted;
  readonly #device: Device | undefined;
  readonly #graphs = new Map<string, EvaluationGraph>();
  readonly #worst: Worst;
  /** What {@link bytesPerId} measured, by split. */
  readonly #bytesPerId = new Map<Split, number>();

  /**
   * @param mistakes How many of a classifier's mistakes to keep.
   * @param device what computes, and has the weights. Default: the CPU.
   * @throws TrainingError when a metric reads what such a model does not give.
   */
  constructor(
    model: Model,
    metrics: readonly NamedMetric[],
    options: BatchOptions,
    mistakes = 0,
    device?: Device,
  ) {
    this.#model = model;
    this.#device = device;
    this.#options = options;
    this.#objective = options.objective ?? causalObjective();
    this.#metrics = metrics;
    this.#worst = new Worst(mistakes, options);
    for (const named of metrics)
      for (const read of readsOf(named))
        if (!this.#objective.gives.includes(read)) throw refusedMetric(named, read, this.#objective);
    this.#wanted = {
      reads: new Set(metrics.flatMap(readsOf)),
      topK: Math.max(
        1,
        ...metrics.map(({ metric }) => (typeof metric === "function" ? 1 : (metric.topK ?? 1))),
      ),
      batchSize: options.batchSize,
    };
  }

  /**
   * One pass over a split. The loss and every metric are independent of the batch size.
   *
   * @throws TrainingError when the split has no label that counts.
   */
  async evaluate(split: Split, weights: Weights, signal?: AbortSignal): Promise<Evaluation> {
    const started = performance.now();
    const pairs: Pairs = { predictions: [], references: [] };
    this.#worst.reset();
    for (const named of this.#metrics)
      guarded(named, ({ metric }) => typeof metric !== "function" && metric.reset());
    let sum = 0;
    let tokens = 0;
    const wanted = await this.#wantedOf(split);
    for await (const batch of evaluationBatches(split, this.#options)) {
      signal?.throwIfAborted();
      const graph = this.#graphFor(formOf(batch, this.#options.batchSize));
      const outputs = await graph.run(batch, weights);
      let at = 0;
      for (const row of this.#objective.evaluated(batch, outputs, wanted)) {
        sum += row.loss;
        tokens += row.example.labels.length;
        this.#worst.add(row, batch, at++);
        this.#update(row.example, pairs);
      }
    }
    if (tokens === 0)
      throw new TrainingError(
        "NOTHING_TO_EVALUATE",
        `The ${split} split has ${this.#objective.task === "sequence_classification" ? "no text with a label" : "no token to predict"}: it is empty or too short.`,
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

  /** A classifier's hardest mistakes in the last evaluation, largest loss first. */
  get mistakes(): MistakesEvent["mistakes"] {
    return this.#worst.tell();
  }

  /** What the metrics say of their last values: why one is undefined. */
  get warnings(): readonly string[] {
    return this.#metrics.flatMap((named) =>
      guarded(named, ({ metric }) =>
        (typeof metric === "function" ? [] : (metric.warnings?.() ?? [])).map(
          (text) => `${named.name}: ${text}`,
        ),
      ),
    );
  }

  async #wantedOf(split: Split): Promise<Wanted> {
    if (!this.#wanted.reads.has("labelBytes")) return this.#wanted;
    const { tokenizer, data } = this.#options;
    const average =
      this.#bytesPerId.get(split) ??
      (tokenizer.byteLength === undefined ? await bytesPerId(tokenizer, data, split) : Number.NaN);
    this.#bytesPerId.set(split, average);
    return { ...this.#wanted, labelBytes: labelBytes(tokenizer, average) };
  }

  #graphFor(form: BatchForm): EvaluationGraph {
    const key = JSON.stringify(form);
    const graph =
      this.#graphs.get(key) ??
      new EvaluationGraph(this.#model, this.#objective, form, this.#wanted, this.#device);
    this.#graphs.set(key, graph);
    return graph;
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

/** The compiled graph of one form of batch. */
class EvaluationGraph {
  readonly #program: Program;
  readonly #batch: Readonly<Record<string, TensorBuffer<"int32">>>;
  readonly #outputs: Readonly<Record<string, TensorBuffer<"float32"> | TensorBuffer<"int32">>>;
  readonly #calls = new WeakMap<Weights, Call>();

  constructor(model: Model, objective: Objective, form: BatchForm, wanted: Wanted, device?: Device) {
    const { inputs, labels, logits } = traceBatch(model, objective, form, evaluationContext());
    const outputs = objective.outputs(logits, labels, wanted);
    const spec = { inputs: [...Object.values(inputs), ...model.parameters()], outputs };
    this.#program = new Program(spec, {}, { device });
    this.#batch = batchBuffers(objective, form);
    this.#outputs = Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => {
        const shape = staticShape(tensor.shape, `the output "${name}"`);
        return [
          name,
          tensor.dtype === "int32"
            ? new TensorBuffer({ dtype: "int32", shape })
            : new TensorBuffer({ dtype: "float32", shape }),
        ];
      }),
    );
  }

  async run(batch: Batch, weights: Weights) {
    const call =
      this.#calls.get(weights) ?? this.#program.bind({ ...this.#batch, ...weights }, this.#outputs);
    this.#calls.set(weights, call);
    for (const [name, values] of Object.entries(feedsOf(batch))) this.#batch[name]?.data.set(values);
    await call.run();
    return Object.fromEntries(Object.entries(this.#outputs).map(([name, { data }]) => [name, data]));
  }
}

/** The mistakes with the largest losses. */
class Worst {
  readonly #most: number;
  readonly #options: BatchOptions;
  #rows: { readonly row: EvaluatedRow; readonly ids: Int32Array }[] = [];

  constructor(most: number, options: BatchOptions) {
    this.#most = most;
    this.#options = options;
  }

  reset(): void {
    this.#rows = [];
  }

  add(row: EvaluatedRow, { inputIds, attentionMask }: Batch, at: number): void {
    const rows = this.#rows;
    if (row.mistake === undefined || this.#most === 0) return;
    if (rows.length === this.#most && row.loss <= (rows.at(-1)?.row.loss ?? 0)) return;
    const length = inputIds.length / this.#options.batchSize;
    const special = new Set(Object.values(this.#options.tokenizer.specialTokens ?? {}));
    const ids = inputIds
      .slice(at * length, (at + 1) * length)
      .filter((id, place) => attentionMask?.[at * length + place] !== 0 && !special.has(id));
    rows.push({ row, ids });
    rows.sort((a, b) => b.row.loss - a.row.loss);
    rows.length = Math.min(rows.length, this.#most);
  }

  tell(): MistakesEvent["mistakes"] {
    return this.#rows.flatMap(({ row: { mistake, loss }, ids }) =>
      mistake === undefined ? [] : [{ text: this.#options.tokenizer.decode(ids), ...mistake, loss }],
    );
  }
}

function readsOf({ metric }: NamedMetric): readonly MetricInput[] {
  return typeof metric === "function" ? ["predictedIds"] : metric.reads;
}

/** What else than the trainer at hand gives what a metric reads. */
const GIVEN_BY: Readonly<Partial<Record<MetricInput, string>>> = {
  texts:
    "Nothing is generated in an evaluation. Score texts that the model wrote with `codex-ml metrics`, from a file of predictions and one of references",
  outcome:
    "No program is run in an evaluation. Score attempts that were run with `codex-ml metrics`, from a file that says which passed",
  probabilities: "Only sequence_classification gives them",
  labelBytes: "Only causal_lm and masked_lm, whose labels are tokens, give them",
};

function refusedMetric({ name }: NamedMetric, read: MetricInput, { task, gives }: Objective): TrainingError {
  const elsewhere = GIVEN_BY[read];
  return new TrainingError(
    "METRIC_INPUT",
    `The metric "${name}" reads \`${read}\`, which an evaluation of a model for ${task} does not give; it gives ${gives.join(", ")}. ` +
      `${elsewhere === undefined ? "" : `${elsewhere}. `}Leave the metric out of the run file.`,
  );
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
