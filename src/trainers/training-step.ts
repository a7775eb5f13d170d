import type { Model } from "../models/index.ts";
import type { Optimizer } from "../optim/index.ts";
import { type Call, Program, TensorBuffer } from "../runtime/index.ts";
import { mix32 } from "../tensor/index.ts";
import type { Batch } from "./batching.ts";
import { causalObjective } from "./causal-objective.ts";
import { TrainingError } from "./errors.ts";
import type { Objective } from "./objective.ts";
import { type ResultName, type StepGraphOptions, traceStep } from "./step-graph.ts";
import {
  allFinite,
  copyTensors,
  type RestoreRequest,
  restoreTensors,
  type StepTensors,
} from "./step-tensors.ts";
import { type BatchForm, batchBuffers, feedsOf, formOf } from "./traced-batch.ts";
import {
  allocateFor,
  initialize,
  type ParameterGroup,
  type ParameterMemory,
  prefixed,
  type UpdateUnit,
  updateUnits,
  type Weights,
} from "./weights.ts";

export interface TrainingStepOptions extends StepGraphOptions {
  /** Sequences of one forward pass, B. */
  readonly batchSize: number;
  /** Tokens of a sequence, T. */
  readonly sequenceLength: number;
  /** What the model is trained for. Default: next-token prediction. */
  readonly objective?: Objective;
  /** A batch like those that will come: its graph is compiled at once. Default: one of ids and labels alone. */
  readonly like?: Batch;
  /** How each parameter is trained, by its name. Default: all alike. */
  readonly groupOf?: (name: string) => ParameterGroup;
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
  /** Two sets that swap at each update: a graph never writes what it still reads. */
  readonly #sets: readonly [State, State];
  readonly #memory: SharedMemory;
  /** One a form of batch: with documents to keep apart or without. */
  readonly #graphs = new Map<string, BatchGraph>();
  #set: 0 | 1 = 0;
  #step = 0;
  #running = false;
  #copy: StepTensors | undefined;

  constructor(options: TrainingStepOptions) {
    this.#options = options;
    const { model, optimizer, batchSize, sequenceLength, seed, like, groupOf } = options;
    const units = updateUnits(model, groupOf);
    const frozen = frozenWeights(model, units);
    this.#sets = [newState(units, optimizer, frozen), newState(units, optimizer, frozen)];
    initialize(model, this.#sets[0].weights.parameters, seed);
    this.#memory = new SharedMemory(options, units);
    this.#graphFor(
      like === undefined
        ? { batchSize, sequenceLength, attentionMask: false, positionIds: false, tokenTypeIds: false }
        : formOf(like, batchSize),
    );
  }

  #graphFor(form: BatchForm): BatchGraph {
    const key = JSON.stringify(form);
    const graph = this.#graphs.get(key) ?? new BatchGraph(this.#options, form, this.#memory, this.#sets);
    this.#graphs.set(key, graph);
    return graph;
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
    const weight = batches.reduce((sum, batch) => sum + (batch.weight ?? batch.counted), 0);
    const step = this.#step + 1;
    if (weight === 0)
      throw new TrainingError(
        "NOTHING_TO_LEARN",
        `Step ${step}: every label of the batch is ignored (−100), so there is no loss.`,
      );
    if (this.#running)
      throw new TrainingError("ALREADY_RUNNING", "An update is running; wait for it before the next.");
    this.#running = true;
    try {
      return await this.#update(batches, weight, learningRate);
    } finally {
      this.#running = false;
    }
  }

  async #update(batches: readonly Batch[], weight: number, learningRate: number): Promise<StepResult> {
    const { optimizer, batchSize, seed } = this.#options;
    const { scalars, fed, results } = this.#memory;
    const step = this.#step + 1;
    for (const [name, value] of Object.entries(optimizer.scalarValues({ step, learningRate })))
      write(scalars[name], value, name);
    write(fed.inverse_count, 1 / weight, "inverse_count");

    let loss = 0;
    for (const [index, batch] of batches.entries()) {
      const graph = this.#graphFor(formOf(batch, batchSize));
      graph.feed(batch);
      fed.dropout_key_a.data[0] = mix32(seed, step, index, 0);
      fed.dropout_key_b.data[0] = mix32(seed, step, index, 1);
      await graph.call(this.#set, index, index === batches.length - 1).run();
      loss += results.loss.data[0] ?? Number.NaN;
    }
    const gradientNorm = results.gradient_norm.data[0] ?? Number.NaN;
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
  tensors(): StepTensors {
    for (const [name, { data }] of Object.entries(this.weights))
      if (!allFinite(data))
        throw new TrainingError(
          "NOT_FINITE",
          `Step ${this.#step} left the parameter "${name}" with numbers that are not finite. A smaller learningRate helps most often.`,
        );
    return {
      parameters: new Map(Object.entries(this.weights)),
      optimizer: new Map(Object.entries(this.slots)),
    };
  }

  /**
   * The same as a copy, which may be written while training goes on. It may be taken while the next update runs: that reads the
   * weights and writes elsewhere. The memory is that of the copy before, which must not be read any more.
   *
   * @throws TrainingError as {@link tensors}.
   */
  snapshot(): StepTensors {
    this.#copy = copyTensors(this.tensors(), this.#copy);
    return this.#copy;
  }

  /**
   * Takes over what another step's {@link tensors} were, so that the updates after it are the same to the last bit.
   *
   * @throws TrainingError naming the first tensor that is missing, left over or of another shape; nothing is taken over then.
   */
  restore(request: RestoreRequest): void {
    if (this.#running)
      throw new TrainingError("ALREADY_RUNNING", "An update is running; wait for it before restoring.");
    restoreTensors(this.weights, this.slots, request);
    this.#step = request.step;
  }
}

type Results = Readonly<Record<ResultName, TensorBuffer<"float32">>>;

interface State {
  readonly weights: ParameterMemory;
  readonly slots: Readonly<Record<string, ParameterMemory>>;
}

function newState(units: readonly UpdateUnit[], optimizer: Optimizer, frozen: Weights): State {
  const memory = allocateFor(units);
  return {
    weights: { units: memory.units, parameters: { ...memory.parameters, ...frozen } },
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, allocateFor(units)])),
  };
}

/** Memory for the parameters that no unit has: both sets share it, since nothing changes it. */
function frozenWeights(model: Model, units: readonly UpdateUnit[]): Weights {
  const trained = new Set(units.flatMap(({ parameters }) => parameters));
  return Object.fromEntries(
    model
      .parameters()
      .filter((parameter) => !trained.has(parameter))
      .map(({ name, dims }) => [name, new TensorBuffer({ dtype: "float32", shape: dims })]),
  );
}

/** Everything that an update reads and replaces, under the names of the graph. */
function updatedBuffers({ weights, slots }: State): Weights {
  return Object.assign(
    { ...weights.units },
    ...Object.entries(slots).map(([slot, memory]) => prefixed(slot, memory.units)),
  );
}

function scalarBuffer(): TensorBuffer<"float32"> {
  return new TensorBuffer({ dtype: "float32", shape: [] });
}

/** What the graphs of all forms read and write besides batches and weights. */
class SharedMemory {
  readonly units: readonly UpdateUnit[];
  readonly scalars: Readonly<Record<string, TensorBuffer<"float32">>>;
  readonly fed = {
    inverse_count: scalarBuffer(),
    dropout_key_a: new TensorBuffer({ dtype: "int32", shape: [] }),
    dropout_key_b: new TensorBuffer({ dtype: "int32", shape: [] }),
  };
  readonly results: Results = { loss: scalarBuffer(), gradient_norm: scalarBuffer() };
  readonly accumulates: boolean;
  /** Sums of gradients swap like the weights do: read one set, write the other. */
  readonly sums: readonly Weights[];

  constructor(
    { optimizer, gradientAccumulationSteps = 1 }: TrainingStepOptions,
    units: readonly UpdateUnit[],
  ) {
    this.units = units;
    this.scalars = Object.fromEntries(optimizer.scalars.map((name) => [name, scalarBuffer()]));
    this.accumulates = gradientAccumulationSteps > 1;
    this.sums = this.accumulates ? [0, 1].map(() => prefixed("sum", allocateFor(units).units)) : [{}];
  }
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

/** The compiled graphs of one form of batch, tied to every combination of buffers that a step can use. */
class BatchGraph {
  readonly #batch: Readonly<Record<string, TensorBuffer<"int32">>>;
  readonly #last: readonly (readonly Call[])[];
  readonly #adding: readonly (readonly Call[])[];
  readonly #sums: readonly Weights[];

  constructor(
    options: TrainingStepOptions,
    form: BatchForm,
    { units, scalars, fed, results, accumulates, sums }: SharedMemory,
    sets: readonly [State, State],
  ) {
    const { objective = causalObjective() } = options;
    const graph = traceStep(options, objective, form, units, accumulates);
    const inputs = [...graph.inputs, ...graph.stateInputs];
    const last = new Program({ inputs, outputs: { ...graph.results, ...graph.updated } });
    const adding = accumulates
      ? new Program({ inputs: graph.inputs, outputs: { loss: graph.results.loss, ...graph.sums } })
      : undefined;
    this.#batch = batchBuffers(objective, form);
    const given = { ...this.#batch, ...fed };
    this.#sums = sums;
    this.#last = sets.map((from, set) =>
      sums.map((sum) =>
        last.bind(
          {
            ...given,
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
        : sums.map((sum, index) =>
            adding.bind(
              { ...given, ...from.weights.parameters, ...sum },
              { loss: results.loss, ...prefixed("next", sums[1 - index] ?? {}) },
            ),
          ),
    );
  }

  feed(batch: Batch): void {
    for (const [name, values] of Object.entries(feedsOf(batch))) this.#batch[name]?.data.set(values);
  }

  /** The call for batch `index` of an update that starts from the weights in `set`. */
  call(set: 0 | 1, index: number, last: boolean): Call {
    const place = index % this.#sums.length;
    if (index === 0) for (const buffer of Object.values(this.#sums[0] ?? {})) buffer.data.fill(0);
    const call = (last ? this.#last : this.#adding)[set]?.[place];
    if (call === undefined) throw new TrainingError("BATCH_COUNT", `An update has no batch ${index}.`);
    return call;
  }
}
