import type { Model } from "../../models/index.ts";
import type { Device, Program } from "../../runtime/index.ts";
import { TrainingError } from "../errors.ts";
import type { Weights } from "../weights.ts";
import { type LayerSize, readingGraph, stepGraph } from "./graphs.ts";

/**
 * Bytes of matrices up to which a step's graph keeps them in its own order, beside the model's. One token reads every matrix
 * once and does little with it: laid out as it is read, GPT-2 (12 x 768) takes 27 ms of a core instead of 36. Larger models
 * would need too much memory for that.
 */
const LARGEST_COPY = 4 * 2 ** 30;

/** The graphs that write text with a model, compiled when they are first needed. */
export class DecoderGraphs {
  readonly model: Model;
  /** Sizes of the model's keys and values, layer by layer; none where it gives none. */
  readonly layers: readonly LayerSize[];
  readonly #compile: (withCache: boolean) => Program;
  readonly #reading = new Map<boolean, Program>();
  readonly #fixed: Weights;
  readonly #device: Device | undefined;
  #step: Program | undefined;

  /**
   * @param constant weights that never change, if it is known now that they do not; else the graphs serve any.
   * @param device what computes. It reads weights where they are.
   * @throws TrainingError when what the model gives does not have the shapes that it should.
   */
  constructor(model: Model, constant: Weights = {}, device?: Device) {
    this.model = model;
    this.#device = device;
    const { layers, compile } = readingGraph(model, device);
    this.layers = layers;
    this.#compile = compile;
    const matrices = Object.entries(constant).filter(
      ([, buffer]) => buffer.device === undefined && buffer.shape.length > 1,
    );
    const bytes = matrices.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
    this.#fixed = bytes <= LARGEST_COPY ? Object.fromEntries(matrices) : {};
  }

  /** Reads whole sequences; `withCache` gives their keys and values, too. */
  reading(withCache: boolean): Program {
    const program = this.#reading.get(withCache) ?? this.#compile(withCache);
    this.#reading.set(withCache, program);
    return program;
  }

  /** One more token a row. */
  step(): Program {
    this.#step ??= stepGraph(this.model, this.layers, this.#fixed, this.#device);
    return this.#step;
  }

  /**
   * The weights that {@link step} takes as inputs.
   *
   * @throws TrainingError when others than its own are part of the graph.
   */
  stepInputs(weights: Weights): Weights {
    const entries = Object.entries(weights);
    const other = entries.find(([name, buffer]) => (this.#fixed[name] ?? buffer) !== buffer);
    if (other !== undefined)
      throw new TrainingError(
        "OTHER_WEIGHTS",
        `Text is to be written with another "${other[0]}" than the one that the generator was made for. Make it without constantWeights.`,
      );
    return Object.fromEntries(entries.filter(([name]) => this.#fixed[name] === undefined));
  }
}
