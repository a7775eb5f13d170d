import type { Model } from "../models/index.ts";
import { evaluationContext, type ForwardContext, trainingContext } from "../nn/index.ts";
import { encodeModel, Program, TensorBuffer } from "../runtime/index.ts";
import { type Dim, describe, input, Random, sameShape, type Tensor } from "../tensor/index.ts";
import { broken } from "./check.ts";
import { digest, type Observation } from "./difference.ts";

/** Ids that models are built with where their options do not say: enough to change one, small enough to be fast. */
export const SAMPLE_VOCABULARY = 23;

export interface Trace {
  readonly inputs: readonly Tensor[];
  readonly inputIds: Tensor;
  readonly logits: Tensor;
}

/** Traces `forward` over (batch, length) and checks dtype and shape of what it gives. */
export function traceModel(
  model: Model,
  batch: Dim,
  length: Dim,
  mode: "evaluation" | "training" = "evaluation",
): Trace {
  const inputIds = input("input_ids", "int32", [batch, length]);
  const key = [input("dropout_key_a", "int32", []), input("dropout_key_b", "int32", [])] as const;
  const context: ForwardContext = mode === "training" ? trainingContext(key) : evaluationContext();
  const logits: unknown = model.forward({ inputIds }, context)?.logits;
  const expected = [batch, length, model.vocabSize];
  const isTensor = typeof logits === "object" && logits !== null && "shape" in logits && "dtype" in logits;
  const given = isTensor ? (logits as Tensor) : undefined;
  if (given === undefined || given.dtype !== "float32" || !sameShape(given.shape, expected))
    broken(
      `For ${mode} over int32(${batch}, ${length}), forward gave the logits ${given ? describe(given) : String(logits)}; ` +
        `expected float32(${expected.join(", ")}): batch, sequence, vocabSize.`,
    );
  const keys = mode === "training" ? key : [];
  return { inputs: [inputIds, ...keys, ...model.parameters()], inputIds, logits: given };
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

/** A model with numbers in its parameters: its first values with noise, so that nothing hides behind zeros. */
export class FilledModel {
  readonly #model: Model;
  readonly #weights: Readonly<Record<string, TensorBuffer<"float32">>>;
  readonly #programs = new Map<string, Program>();

  constructor(model: Model) {
    this.#model = model;
    const random = new Random(2);
    const values = firstValues(model);
    this.#weights = Object.fromEntries(
      model.parameters().map(({ name, dims }) => {
        const data = Float32Array.from(values.get(name) ?? [], (value) => value + 0.1 * random.normal());
        return [name, new TensorBuffer({ dtype: "float32", shape: dims, data })];
      }),
    );
  }

  /** Logits of sequences of one length, row-major (B, T, V); with `free`, from a graph whose axes are symbols. */
  async logits(rows: readonly (readonly number[])[], free = false): Promise<Float32Array> {
    const [batch, length] = [rows.length, rows[0]?.length ?? 0];
    const program = free ? this.#program("batch_size", "sequence_length") : this.#program(batch, length);
    const ids = new TensorBuffer({
      dtype: "int32",
      shape: [batch, length],
      data: Int32Array.from(rows.flat()),
    });
    const logits = new TensorBuffer({ dtype: "float32", shape: [batch, length, this.#model.vocabSize] });
    await program.bind({ input_ids: ids, ...this.#weights }, { logits }).run();
    const wrong = logits.data.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0)
      broken(`The logits over (${batch}, ${length}) hold ${logits.data[wrong]}; expected finite numbers.`);
    return logits.data;
  }

  #program(batch: Dim, length: Dim): Program {
    const key = `${batch} ${length}`;
    let program = this.#programs.get(key);
    if (program === undefined) {
      const { inputs, logits } = traceModel(this.#model, batch, length);
      program = new Program({ inputs, outputs: { logits } });
      this.#programs.set(key, program);
    }
    return program;
  }
}

/** Parameters, first values and graph: what equal models have in common. */
export async function observeModel(
  model: Model,
  _told: { readonly vocabSize: number },
): Promise<Observation> {
  const values = firstValues(model);
  return {
    config: model.config,
    shapes: Object.fromEntries(model.parameters().map(({ name, dims }) => [name, dims])),
    "first values": Object.fromEntries([...values].map(([name, data]) => [name, digest(data)])),
    graph: digest(encodedForward(model, "evaluation")),
  };
}
