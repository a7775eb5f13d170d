import type { Optimizer } from "../optim/index.ts";
import { type Call, type HostTensor, Program, TensorBuffer } from "../runtime/index.ts";
import { mix32 } from "../tensor/index.ts";
import type { Batch } from "./batching.ts";
import { TrainingError } from "./errors.ts";
import { type ResultName, type StepGraphOptions, traceStep } from "./step-graph.ts";
import {
  allocateFor,
  initialize,
  type ParameterMemory,
  prefixed,
  type UpdateUnit,
  updateUnits,
  type Weights,
} from "./weights.ts";

export interface TrainingStepOptions extends StepGraphOptions {
  /** Forward passes of one update. Default 1. */
  readonly gradientAccumulationSteps?: number;
  readonly seed: number;
}

export interface StepResult {
  /** Σ token losses / Σ counted tokens over all batches of the update, in nats. */
  readonly loss: number;
  /** Global L2 norm of the gradient, before clipping. */
  readonly gradientNorm: number;
}

/**
 * Forward pass, backward pass, clipping and optimizer update as one graph that is run in one call an update; with gradient
 * accumulation, a second graph adds up the gradients of all batches but the last.
 *
 * The loss of an update is Σ token losses / Σ counted tokens over all its batches, whatever their sizes: every batch's
 * losses are scaled by the count of the whole update, which is known before the first one runs.
 */
export class TrainingStep {
  readonly #options: TrainingStepOptions;
  readonly #fed: Fed;
  readonly #results: Results;
  /** Two sets that swap at each update: a graph never writes what it still reads. */
  readonly #sets: readonly [State, State];
  readonly #calls: Calls;
  #set: 0 | 1 = 0;
  #step = 0;
  #running = false;

  constructor(options: TrainingStepOptions) {
    this.#options = options;
    const { model, optimizer, batchSize, sequenceLength, seed } = options;
    const units = updateUnits(model);
    this.#sets = [newState(units, optimizer), newState(units, optimizer)];
    initialize(model, this.#sets[0].weights.parameters, seed);
    this.#fed = fedBuffers(batchSize, sequenceLength, optimizer);
    this.#results = { loss: scalarBuffer(), gradient_norm: scalarBuffer() };
    this.#calls = new Calls(options, units, this.#fed, this.#results, this.#sets);
  }

  /** Updates done. */
  get step(): number {
    return this.#step;
  }

  /** The parameters as they are now. Valid until the next update has run. */
  get weights(): Weights {
    return this.#sets[this.#set].weights.parameters;
  }

  /** The optimizer's state as it is now, by `slot/parameter`. Valid until the next update has run. */
  get slots(): Weights {
    const { slots } = this.#sets[this.#set];
    return Object.assign(
      {},
      ...Object.entries(slots).map(([slot, memory]) => prefixed(slot, memory.parameters)),
    );
  }

  /**
   * One update from as many batches as `gradientAccumulationSteps` says.
   *
   * @throws TrainingError when no token counts, or loss or gradient are not finite; the weights stay as they were.
   */
  async run(batches: readonly Batch[], learningRate: number): Promise<StepResult> {
    const { gradientAccumulationSteps = 1 } = this.#options;
    if (batches.length !== gradientAccumulationSteps)
      throw new TrainingError(
        "BATCH_COUNT",
        `An update takes ${gradientAccumulationSteps} batches; got ${batches.length}.`,
      );
    const counted = batches.reduce((sum, batch) => sum + batch.counted, 0);
    const step = this.#step + 1;
    if (counted === 0)
      throw new TrainingError(
        "NOTHING_TO_LEARN",
        `Step ${step}: every label of the batch is ignored (−100), so there is no loss.`,
      );
    if (this.#running)
      throw new TrainingError("ALREADY_RUNNING", "An update is running; wait for it before the next.");
    this.#running = true;
    try {
      return await this.#update(batches, counted, learningRate);
    } finally {
      this.#running = false;
    }
  }

  async #update(batches: readonly Batch[], counted: number, learningRate: number): Promise<StepResult> {
    const { optimizer, seed } = this.#options;
    const step = this.#step + 1;
    for (const [name, value] of Object.entries(optimizer.scalarValues({ step, learningRate })))
      write(this.#fed.scalars[name], value, name);
    write(this.#fed.inverse_count, 1 / counted, "inverse_count");

    let loss = 0;
    for (const [index, batch] of batches.entries()) {
      this.#fed.input_ids.data.set(batch.inputIds);
      this.#fed.labels.data.set(batch.labels);
      this.#fed.dropout_key_a.data[0] = mix32(seed, step, index, 0);
      this.#fed.dropout_key_b.data[0] = mix32(seed, step, index, 1);
      await this.#calls.at(this.#set, index, index === batches.length - 1).run();
      loss += this.#results.loss.data[0] ?? Number.NaN;
    }
    const gradientNorm = this.#results.gradient_norm.data[0] ?? Number.NaN;
    for (const [what, value] of Object.entries({ loss, gradient: gradientNorm }))
      if (!Number.isFinite(value))
        throw new TrainingError(
          "NOT_FINITE",
          `Step ${step}: the ${what} is ${value} at learning rate ${learningRate.toPrecision(3)}. ` +
            "The weights before this step are kept. A smaller learningRate, more warmupSteps or a maxGradNorm (1 is usual) helps most often.",
        );
    this.#set = this.#set === 0 ? 1 : 0;
    this.#step = step;
    return { loss, gradientNorm };
  }

  /**
   * Parameters and optimizer state for a checkpoint: the live memory, to be written before the next update.
   *
   * @throws TrainingError when the last update left a parameter that is not finite: that is not worth keeping.
   */
  tensors(): { readonly parameters: Map<string, HostTensor>; readonly optimizer: Map<string, HostTensor> } {
    for (const [name, { data }] of Object.entries(this.weights))
      if (!data.every(Number.isFinite))
        throw new TrainingError(
          "NOT_FINITE",
          `Step ${this.#step} left the parameter "${name}" with numbers that are not finite. A smaller learningRate helps most often.`,
        );
    return {
      parameters: new Map(Object.entries(this.weights)),
      optimizer: new Map(Object.entries(this.slots)),
    };
  }
}

type Results = Readonly<Record<ResultName, TensorBuffer<"float32">>>;

interface State {
  readonly weights: ParameterMemory;
  readonly slots: Readonly<Record<string, ParameterMemory>>;
}

function newState(units: readonly UpdateUnit[], optimizer: Optimizer): State {
  return {
    weights: allocateFor(units),
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, allocateFor(units)])),
  };
}

/** Everything that an update reads and replaces, under the names of the graph. */
function updatedBuffers({ weights, slots }: State): Weights {
  return Object.assign(
    { ...weights.units },
    ...Object.entries(slots).map(([slot, memory]) => prefixed(slot, memory.units)),
  );
}

/** What changes from call to call. */
interface Fed {
  readonly input_ids: TensorBuffer<"int32">;
  readonly labels: TensorBuffer<"int32">;
  readonly inverse_count: TensorBuffer<"float32">;
  readonly dropout_key_a: TensorBuffer<"int32">;
  readonly dropout_key_b: TensorBuffer<"int32">;
  readonly scalars: Readonly<Record<string, TensorBuffer<"float32">>>;
}

function scalarBuffer(): TensorBuffer<"float32"> {
  return new TensorBuffer({ dtype: "float32", shape: [] });
}

function fedBuffers(batchSize: number, sequenceLength: number, optimizer: Optimizer): Fed {
  return {
    input_ids: new TensorBuffer({ dtype: "int32", shape: [batchSize, sequenceLength] }),
    labels: new TensorBuffer({ dtype: "int32", shape: [batchSize, sequenceLength] }),
    inverse_count: scalarBuffer(),
    dropout_key_a: new TensorBuffer({ dtype: "int32", shape: [] }),
    dropout_key_b: new TensorBuffer({ dtype: "int32", shape: [] }),
    scalars: Object.fromEntries(optimizer.scalars.map((name) => [name, scalarBuffer()])),
  };
}

function write(buffer: TensorBuffer<"float32"> | undefined, value: number, name: string): void {
  const rounded = Math.fround(value);
  if (buffer === undefined || !Number.isFinite(rounded) || (rounded === 0 && value !== 0))
    throw new TrainingError(
      "BAD_SCALAR",
      `${value} was to be fed to the update as "${name}"; it must be a number that float32 can hold, under a name that the optimizer lists.`,
    );
  buffer.data[0] = value;
}

/** The compiled graphs of an update, tied to every combination of buffers that a step can use. */
class Calls {
  readonly #last: readonly (readonly Call[])[];
  readonly #adding: readonly (readonly Call[])[];
  readonly #sums: readonly Weights[];

  constructor(
    options: TrainingStepOptions,
    units: readonly UpdateUnit[],
    fed: Fed,
    results: Results,
    sets: readonly [State, State],
  ) {
    const { scalars, ...batch } = fed;
    const accumulates = (options.gradientAccumulationSteps ?? 1) > 1;
    const graph = traceStep(options, units, accumulates);
    const inputs = [...graph.inputs, ...graph.stateInputs];
    const last = new Program({ inputs, outputs: { ...graph.results, ...graph.updated } });
    const adding = accumulates
      ? new Program({ inputs: graph.inputs, outputs: { loss: graph.results.loss, ...graph.sums } })
      : undefined;
    // Sums of gradients swap like the weights do: read one set, write the other.
    this.#sums = accumulates ? [0, 1].map(() => prefixed("sum", allocateFor(units).units)) : [{}];
    this.#last = sets.map((from, set) =>
      this.#sums.map((sum) =>
        last.bind(
          {
            ...batch,
            ...prefixed("optimizer", scalars),
            ...from.weights.parameters,
            ...updatedBuffers(from),
            ...sum,
          },
          { ...results, ...prefixed("next", updatedBuffers(sets[1 - set] as State)) },
        ),
      ),
    );
    this.#adding = sets.map((from) =>
      adding === undefined
        ? []
        : this.#sums.map((sum, index) =>
            adding.bind(
              { ...batch, ...from.weights.parameters, ...sum },
              { loss: results.loss, ...prefixed("next", this.#sums[1 - index] ?? {}) },
            ),
          ),
    );
  }

  /** The call for batch `index` of an update that starts from the weights in `set`. */
  at(set: 0 | 1, index: number, last: boolean): Call {
    const place = index % this.#sums.length;
    if (index === 0) for (const buffer of Object.values(this.#sums[0] ?? {})) buffer.data.fill(0);
    const call = (last ? this.#last : this.#adding)[set]?.[place];
    if (call === undefined) throw new TrainingError("BATCH_COUNT", `An update has no batch ${index}.`);
    return call;
  }
}
