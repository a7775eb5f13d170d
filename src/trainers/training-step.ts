import type { Model } from "../models/index.ts";
import type { Parameter } from "../nn/index.ts";
import { clipFactor, type Optimizer } from "../optim/index.ts";
import { type Call, type Device, Program, TensorBuffer } from "../runtime/index.ts";
import { countFlops, mix32 } from "../tensor/index.ts";
import type { Batch } from "./batching.ts";
import { causalObjective } from "./causal-objective.ts";
import { DeviceUpdates } from "./device-updates.ts";
import { TrainingError } from "./errors.ts";
import type { StepSeconds } from "./events.ts";
import type { Objective } from "./objective.ts";
import { type ResultName, type StepGraph, traceStep } from "./step-graph.ts";
import type { Place, StepMemory, StepUpdates } from "./step-memory.ts";
import {
  allFinite,
  hostTensors,
  type RestoreRequest,
  restoreTensors,
  type StepTensors,
} from "./step-tensors.ts";
import { copyTensors } from "./tensor-copies.ts";
import { type BatchForm, batchBuffers, feedsOf, formOf } from "./traced-batch.ts";
import type { StepBytes, TrainingProfiler } from "./training-profiler.ts";
import { type ParameterGroup, type UpdateUnit, updateUnits } from "./update-units.ts";
import { scalarBuffer, Updates, write } from "./updates.ts";
import { allocateWeights, initialize, prefixed, type Weights } from "./weights.ts";

export interface TrainingStepOptions {
  readonly model: Model;
  readonly optimizer: Optimizer;
  /** Largest global norm of the gradient; 0 leaves it as it is. Default 0. */
  readonly maxGradNorm?: number;
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
  /** Whether the backward pass computes the inner values of layers again: less memory, more time. Default false. */
  readonly gradientCheckpointing?: boolean;
  /** Whether the model's dropout takes place. Default true. */
  readonly dropout?: boolean;
  /** Forward passes of one update. Default 1. */
  readonly gradientAccumulationSteps?: number;
  readonly seed: number;
  /** What computes, and keeps weights, gradients and optimizer state. Default: the CPU. */
  readonly device?: Device | undefined;
  /** Finds out where the time goes: `context.profiler`, for a trainer that is to be profiled. */
  readonly profiler?: TrainingProfiler | undefined;
}

/** What one batch and one update take. */
export interface StepTrial {
  /** Of the batch. */
  readonly loss: number;
  readonly batches: number;
  readonly seconds: { readonly batch: number; readonly update: number };
  /** Of the batch, in products of matrices. */
  readonly gigaflops: number;
}

export interface StepResult {
  /** Σ token losses / Σ counted tokens over all batches of the update, in nats. */
  readonly loss: number;
  /** Global L2 norm of the gradient, before clipping. */
  readonly gradientNorm: number;
  readonly seconds: Pick<StepSeconds, "forwardBackward" | "update">;
}

/**
 * An update of a model: forward and backward pass as one graph that is run once a batch, then clipping and the optimizer's
 * update, piece by piece.
 *
 * The loss of an update is Σ token losses / Σ counted tokens over all its batches, whatever their sizes: every batch's
 * losses are scaled by the count of the whole update, which is known before the first one runs.
 */
export class TrainingStep {
  readonly #options: TrainingStepOptions;
  readonly #updates: StepUpdates;
  readonly #memory: SharedMemory;
  /** One a form of batch: with documents to keep apart or without. */
  readonly #graphs = new Map<string, BatchGraph>();
  #step = 0;
  #running = false;
  #copy: StepTensors | undefined;

  constructor(options: TrainingStepOptions) {
    this.#options = options;
    const { model, optimizer, batchSize, sequenceLength, seed, like, groupOf, profiler } = options;
    const { gradientAccumulationSteps = 1, device } = options;
    const units = updateUnits(model, optimizer, groupOf);
    const sets = gradientAccumulationSteps > 1 ? 2 : 1;
    this.#updates = device
      ? new DeviceUpdates(optimizer, units, sets, device)
      : new Updates(optimizer, units, sets, profiler?.programs);
    this.#memory = new SharedMemory(model, units, this.#updates.memory, gradientAccumulationSteps, device);
    initialize(model, this.weights, seed);
    this.#graphFor(
      like === undefined
        ? { batchSize, sequenceLength, attentionMask: false, positionIds: false, tokenTypeIds: false }
        : formOf(like, batchSize),
    );
    profiler?.watch(() => this.memory());
  }

  #graphFor(form: BatchForm): BatchGraph {
    const key = JSON.stringify(form);
    const known = this.#graphs.get(key);
    if (known !== undefined) return known;
    const build = () => new BatchGraph(this.#options, form, this.#memory);
    const graph = this.#options.profiler?.compiling(build) ?? build();
    this.#graphs.set(key, graph);
    return graph;
  }

  /** Updates done. */
  get step(): number {
    return this.#step;
  }

  /** The parameters as they are now. Valid until the next update has run. */
  get weights(): Weights {
    return this.#memory.weights[this.#updates.place];
  }

  /** The optimizer's state as it is now, by `slot/parameter`. Valid until the next update has run. */
  get slots(): Weights {
    return this.#updates.memory.slots(this.#updates.place);
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
    const { profiler } = this.#options;
    const update = () => this.#update(batches, weight, learningRate);
    try {
      return await (profiler === undefined ? update() : profiler.update(update));
    } finally {
      this.#running = false;
    }
  }

  async #update(batches: readonly Batch[], weight: number, learningRate: number): Promise<StepResult> {
    const { batchSize, seed, maxGradNorm = 0 } = this.#options;
    const { fed, results } = this.#memory;
    const step = this.#step + 1;
    write(fed.inverse_count, 1 / weight, "inverse_count");
    let loss = 0;
    const started = performance.now();
    for (const [index, batch] of batches.entries()) {
      const graph = this.#graphFor(formOf(batch, batchSize));
      graph.feed(batch);
      fed.dropout_key_a.data[0] = mix32(seed, step, index, 0);
      fed.dropout_key_b.data[0] = mix32(seed, step, index, 1);
      if (batches.length > 1 && index === 0) await this.#memory.clearSums();
      await graph.call(this.#updates.place, index, index === batches.length - 1).run();
      loss += results.loss.data[0] ?? Number.NaN;
    }
    const computed = performance.now();
    const gradientNorm = results.gradient_norm.data[0] ?? Number.NaN;
    for (const [what, value] of Object.entries({ loss, gradient: gradientNorm }))
      if (!Number.isFinite(value))
        throw new TrainingError(
          "NOT_FINITE",
          `Step ${step}: the ${what} is ${value} at learning rate ${learningRate.toPrecision(3)}. ` +
            "The weights before this step are kept. A smaller learningRate, more warmupSteps or a maxGradNorm (1 is usual) helps most often.",
        );
    const clip = maxGradNorm > 0 ? clipFactor(gradientNorm, maxGradNorm) : 1;
    const gradients = batches.length % this.#memory.gradientSets;
    await this.#updates.run({ step, learningRate, clip, gradients });
    this.#step = step;
    const seconds = {
      forwardBackward: (computed - started) / 1000,
      update: (performance.now() - computed) / 1000,
    };
    return { loss, gradientNorm, seconds };
  }

  /**
   * Runs a batch forward and backward a few times, and the optimizer with a learning rate of 0 and without gradients: it then
   * leaves weights as they are, but takes the time that it always takes. To be called before the first update.
   */
  async trial(batch: Batch, signal: AbortSignal): Promise<StepTrial> {
    const { batchSize, seed } = this.#options;
    const { fed, results, gradientSets } = this.#memory;
    const graph = this.#graphFor(formOf(batch, batchSize));
    write(fed.inverse_count, 1 / (batch.weight ?? batch.counted), "inverse_count");
    graph.feed(batch);
    fed.dropout_key_a.data[0] = mix32(seed, 1, 0, 0);
    fed.dropout_key_b.data[0] = mix32(seed, 1, 0, 1);
    const timed = async (work: () => Promise<void>) => {
      const started = performance.now();
      await work();
      return (performance.now() - started) / 1000;
    };
    const call = graph.call(this.#updates.place, 0, true);
    const first = await timed(() => call.run());
    const loss = results.loss.data[0] ?? Number.NaN;
    const times: number[] = [];
    // The first takes longer, since all memory is fresh.
    while (times.length < 5 && (times.length + 1) * first < TRIAL_SECONDS && !signal.aborted)
      times.push(await timed(() => call.run()));
    const numbers = { step: 1, learningRate: 0, clip: 0, gradients: 1 % gradientSets };
    const updates: number[] = [];
    // Everything is moved forth and back again.
    for (let at = 0; at < 2; at++) updates.push(await timed(() => this.#updates.run(numbers)));
    const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? first;
    return {
      loss,
      batches: times.length + 1,
      seconds: { batch: median, update: Math.min(...updates) },
      gigaflops: graph.flops / 1e9,
    };
  }

  /** Bytes that training takes. Those of activations are known when an update has run. */
  memory(): StepBytes {
    const bytes = (weights: Weights) =>
      Object.values(weights).reduce(
        (sum, { shape }) => sum + shape.reduce((product, length) => product * length, BYTES),
        0,
      );
    const activations = [...this.#graphs.values()].map((graph) => graph.arena().peak);
    return {
      weights: bytes(this.weights),
      gradients: this.#memory.gradients.reduce((sum, set) => sum + bytes(set), 0),
      optimizer: bytes(this.slots),
      activations: Math.max(0, ...activations),
    };
  }

  /**
   * Parameters and optimizer state for a checkpoint: the live memory, to be written before the next update.
   *
   * @throws TrainingError when the last update left a parameter that is not finite: that is not worth keeping.
   */
  tensors(): StepTensors {
    const parameters = hostTensors(this.weights);
    for (const [name, { data }] of parameters)
      if (!allFinite(data as Float32Array))
        throw new TrainingError(
          "NOT_FINITE",
          `Step ${this.#step} left the parameter "${name}" with numbers that are not finite. A smaller learningRate helps most often.`,
        );
    return { parameters, optimizer: hostTensors(this.slots) };
  }

  /**
   * The same as a copy, which may be written while training goes on. It may be taken when `run` was called and before anything is
   * awaited: until then the next update only reads the weights, and the copying takes no time of its own. The memory is that of
   * the copy before, which must not be read any more.
   *
   * @throws TrainingError as {@link tensors}.
   */
  snapshot(): StepTensors {
    // What was read from a device is a copy already.
    if (this.#options.device !== undefined) return this.tensors();
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
    this.#updates.startFrom(request.step);
    restoreTensors(this.weights, this.slots, request);
    this.#step = request.step;
  }
}

/** Of a number, in float32. */
const BYTES = 4;

/** What a trial takes at most, if one batch does not take longer. */
const TRIAL_SECONDS = 10;

type Results = Readonly<Record<ResultName, TensorBuffer<"float32">>>;

/** What the graphs of all forms read and write besides batches. */
class SharedMemory {
  readonly trained: ReadonlySet<Parameter>;
  /** All parameters at either place; those that are frozen are in both, since nothing changes them. */
  readonly weights: readonly [Weights, Weights];
  readonly fed = {
    inverse_count: scalarBuffer(),
    dropout_key_a: new TensorBuffer({ dtype: "int32", shape: [] }),
    dropout_key_b: new TensorBuffer({ dtype: "int32", shape: [] }),
  };
  readonly results: Results = { loss: scalarBuffer(), gradient_norm: scalarBuffer() };
  readonly accumulates: boolean;
  /** Sums of gradients by parameter: a batch reads one set and writes the next. Without accumulation there is one. */
  readonly gradients: readonly Weights[];
  readonly #trainedMemory: StepMemory;

  constructor(
    model: Model,
    units: readonly UpdateUnit[],
    memory: StepMemory,
    gradientAccumulationSteps: number,
    device: Device | undefined,
  ) {
    this.trained = new Set(units.flatMap(({ parameters }) => parameters));
    const names = new Set([...this.trained].map(({ name }) => name));
    const frozen = allocateWeights(model, (name) => !names.has(name), device);
    this.weights = [
      { ...memory.parameters(0), ...frozen },
      { ...memory.parameters(1), ...frozen },
    ];
    this.accumulates = gradientAccumulationSteps > 1;
    this.gradients = (this.accumulates ? [0, 1] : [0]).map((set) => memory.gradients(set));
    this.#trainedMemory = memory;
  }

  get gradientSets(): number {
    return this.gradients.length;
  }

  /** Makes the sums that the first batch of an update adds to zeros. */
  async clearSums(): Promise<void> {
    await this.#trainedMemory.clearGradients(0);
  }
}

/** The compiled graphs of one form of batch, tied to every combination of buffers that a step can use. */
class BatchGraph {
  readonly #memory: SharedMemory;
  readonly #batch: Readonly<Record<string, TensorBuffer<"int32">>>;
  /** By the place of the parameters and the set of gradients that is read. */
  readonly #last: readonly (readonly Call[])[];
  /** The same without the norm of what is not the whole gradient yet. */
  readonly #adding: readonly (readonly Call[])[];
  /** Floating-point operations in products of matrices. */
  readonly flops: number;
  #program: Program | undefined;

  constructor(
    {
      model,
      objective = causalObjective(),
      dropout,
      gradientCheckpointing,
      profiler,
      device,
    }: TrainingStepOptions,
    form: BatchForm,
    memory: SharedMemory,
  ) {
    const { fed, results, weights, gradients, accumulates, trained } = memory;
    const graph = traceStep(model, objective, form, trained, {
      accumulates,
      dropout,
      recomputes: gradientCheckpointing,
    });
    this.#memory = memory;
    this.flops = countFlops([...Object.values(graph.results), ...Object.values(graph.gradients)]);
    this.#batch = batchBuffers(objective, form);
    const calls = (given: StepGraph["results"] | Pick<StepGraph["results"], "loss">) => {
      const outputs = { ...given, ...prefixed("gradient", graph.gradients) };
      const on = { device, profiler: profiler?.programs };
      const program = new Program({ inputs: graph.inputs, outputs }, {}, on);
      this.#program = program;
      const written = Object.fromEntries(
        Object.keys(given).map((name) => [name, results[name as ResultName]]),
      );
      return weights.map((parameters) =>
        gradients.map((sums, set) =>
          program.bind(
            { ...this.#batch, ...fed, ...parameters, ...(accumulates && prefixed("sum", sums)) },
            { ...written, ...prefixed("gradient", gradients[(set + 1) % gradients.length] as Weights) },
          ),
        ),
      );
    };
    this.#last = calls(graph.results);
    this.#adding = accumulates ? calls({ loss: graph.results.loss }) : [];
  }

  arena(): ReturnType<Program["arena"]> {
    if (this.#program === undefined) throw new TypeError("a graph has a program");
    return this.#program.arena();
  }

  feed(batch: Batch): void {
    for (const [name, values] of Object.entries(feedsOf(batch))) this.#batch[name]?.data.set(values);
  }

  /** The call for batch `index` of an update of parameters at `place`. */
  call(place: Place, index: number, last: boolean): Call {
    const call = (last ? this.#last : this.#adding)[place]?.[index % this.#memory.gradientSets];
    if (call === undefined) throw new TrainingError("BATCH_COUNT", `An update has no batch ${index}.`);
    return call;
  }
}
