import type { Model } from "../models/index.ts";
import { evaluationContext, type ForwardContext, trainingContext } from "../nn/index.ts";
import { describeValue } from "../packages/index.ts";
import { encodeModel, Program, TensorBuffer } from "../runtime/index.ts";
import { type Dim, describe, input, Random, sameShape, type Tensor } from "../tensor/index.ts";
import { broken } from "./check.ts";
import { digest, type Observation } from "./difference.ts";

/** Ids that models are built with where their options do not say: enough to change one, small enough to be fast. */
export const SAMPLE_VOCABULARY = 23;

/** Classes that classifiers are built with where their options do not say. */
export const SAMPLE_LABELS: readonly string[] = ["low", "middle", "high"];

/** Inputs of a batch besides the ids, row by row. */
export interface OtherInputs {
  readonly attentionMask?: readonly (readonly number[])[];
  readonly positionIds?: readonly (readonly number[])[];
  readonly tokenTypeIds?: readonly (readonly number[])[];
}

export interface Trace {
  readonly inputs: readonly Tensor[];
  readonly inputIds: Tensor;
  readonly logits: Tensor;
}

/** Names of a classifier's classes. @throws ConformanceError when there are none. */
export function labelsOf({ labels }: Model): readonly string[] {
  if (!Array.isArray(labels) || labels.length === 0 || !labels.every((name) => typeof name === "string"))
    broken(`labels is ${describeValue(labels)}; expected the names of a classifier's classes.`);
  return labels;
}

/** Logits of one position, or of one row for a classifier. */
export function widthOf(model: Model): number {
  return model.task === "sequence_classification" ? labelsOf(model).length : model.vocabSize;
}

/** How often a row of `length` positions has logits: once for a classifier, else at every position. */
export function logitsPerRow({ task }: Model, length: number): number {
  return task === "sequence_classification" ? 1 : length;
}

/** Traces `forward` over (batch, length) and checks dtype and shape of what it gives. */
export function traceModel(
  model: Model,
  batch: Dim,
  length: Dim,
  mode: "evaluation" | "training" = "evaluation",
  others: readonly string[] = [],
): Trace {
  const inputIds = input("input_ids", "int32", [batch, length]);
  const given = others.map((name) => [name, input(name, "int32", [batch, length])] as const);
  const key = [input("dropout_key_a", "int32", []), input("dropout_key_b", "int32", [])] as const;
  const context: ForwardContext = mode === "training" ? trainingContext(key) : evaluationContext();
  const logits: unknown = model.forward({ inputIds, ...Object.fromEntries(given) }, context)?.logits;
  const classifies = model.task === "sequence_classification";
  const expected = classifies ? [batch, widthOf(model)] : [batch, length, widthOf(model)];
  const isTensor = typeof logits === "object" && logits !== null && "shape" in logits && "dtype" in logits;
  const tensor = isTensor ? (logits as Tensor) : undefined;
  if (tensor === undefined || tensor.dtype !== "float32" || !sameShape(tensor.shape, expected))
    broken(
      `For ${mode} over int32(${batch}, ${length}), forward gave the logits ${tensor ? describe(tensor) : String(logits)}; ` +
        `expected float32(${expected.join(", ")}): ${classifies ? "batch, labels" : "batch, sequence, vocabSize"}.`,
    );
  const keys = mode === "training" ? key : [];
  const inputs = [inputIds, ...given.map(([, tensor]) => tensor), ...keys, ...model.parameters()];
  return { inputs, inputIds, logits: tensor };
}

/** The bytes of the graph that a trace gives. */
export function encodedForward(model: Model, mode: "evaluation" | "training"): Uint8Array {
  const { inputs, logits } = traceModel(model, 2, Math.min(4, model.maxPositionEmbeddings), mode);
  return encodeModel({ inputs, outputs: { logits } });
}

/** First values of every parameter, by name; NaN where its initializer wrote nothing. */
export function firstValues(model: Model): ReadonlyMap<string, Float32Array> {
  return new Map(
    model.parameters().map((parameter, index) => {
      const values = new Float32Array(parameter.dims.reduce((size, dim) => size * dim, 1)).fill(Number.NaN);
      parameter.initialize(values, new Random(1, index));
      return [parameter.name, values];
    }),
  );
}

/** A model's first values with noise, so that nothing hides behind zeros. */
export function filledValues(model: Model): ReadonlyMap<string, Float32Array> {
  const random = new Random(2);
  return new Map(
    [...firstValues(model)].map(([name, values]) => [
      name,
      values.map((value) => value + 0.1 * random.normal()),
    ]),
  );
}

/** A model with numbers in its parameters, ready to run. */
export class FilledModel {
  readonly #model: Model;
  readonly weights: Readonly<Record<string, TensorBuffer<"float32">>>;
  readonly #programs = new Map<string, Program>();

  constructor(model: Model) {
    this.#model = model;
    const values = filledValues(model);
    this.weights = Object.fromEntries(
      model.parameters().map(({ name, dims }) => {
        const data = values.get(name) ?? new Float32Array();
        return [name, new TensorBuffer({ dtype: "float32", shape: dims, data })];
      }),
    );
  }

  /**
   * Logits of sequences of one length, row-major: (B, T, V), or (B, L) of a classifier; with `free`, from a graph whose axes
   * are symbols.
   */
  async logits(
    rows: readonly (readonly number[])[],
    { free = false, ...others }: OtherInputs & { readonly free?: boolean } = {},
  ): Promise<Float32Array> {
    const [batch, length] = [rows.length, rows[0]?.length ?? 0];
    const given = Object.entries(others).filter(([, values]) => values !== undefined);
    const names = given.map(([name]) => name);
    const program = free
      ? this.#program("batch_size", "sequence_length", names)
      : this.#program(batch, length, names);
    const buffer = (values: OtherInputs[keyof OtherInputs]) =>
      new TensorBuffer({
        dtype: "int32",
        shape: [batch, length],
        data: Int32Array.from(values?.flat() ?? []),
      });
    const width = widthOf(this.#model);
    const perRow = logitsPerRow(this.#model, length);
    const shape = this.#model.task === "sequence_classification" ? [batch, width] : [batch, perRow, width];
    const logits = new TensorBuffer({ dtype: "float32", shape });
    const feeds = {
      input_ids: buffer(rows),
      ...Object.fromEntries(given.map(([name, values]) => [name, buffer(values)])),
      ...this.weights,
    };
    await program.bind(feeds, { logits }).run();
    const wrong = logits.data.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0)
      broken(`The logits over (${batch}, ${length}) hold ${logits.data[wrong]}; expected finite numbers.`);
    return logits.data;
  }

  #program(batch: Dim, length: Dim, others: readonly string[]): Program {
    const key = [batch, length, ...others].join(" ");
    let program = this.#programs.get(key);
    if (program === undefined) {
      const { inputs, logits } = traceModel(this.#model, batch, length, "evaluation", others);
      program = new Program({ inputs, outputs: { logits } });
      this.#programs.set(key, program);
    }
    return program;
  }
}

/** Parameters, first values and graph: what equal models have in common. */
export async function observeModel(
  model: Model,
  _told: Readonly<Record<string, unknown>>,
): Promise<Observation> {
  const values = firstValues(model);
  return {
    config: model.config,
    shapes: Object.fromEntries(model.parameters().map(({ name, dims }) => [name, dims])),
    "first values": Object.fromEntries([...values].map(([name, data]) => [name, digest(data)])),
    graph: digest(encodedForward(model, "evaluation")),
  };
}
