import type { Model } from "../../models/index.ts";
import type { Program } from "../../runtime/index.ts";
import { type LayerSize, readingGraph, stepGraph } from "./graphs.ts";

/** The graphs that write text with a model, compiled when they are first needed; they serve any weights. */
export class DecoderGraphs {
  readonly model: Model;
  /** Sizes of the model's keys and values, layer by layer; none where it gives none. */
  readonly layers: readonly LayerSize[];
  readonly #compile: (withCache: boolean) => Program;
  readonly #reading = new Map<boolean, Program>();
  #step: Program | undefined;

  /** @throws TrainingError when what the model gives does not have the shapes that it should. */
  constructor(model: Model) {
    this.model = model;
    const { layers, compile } = readingGraph(model);
    this.layers = layers;
    this.#compile = compile;
  }

  /** Reads whole sequences; `withCache` gives their keys and values, too. */
  reading(withCache: boolean): Program {
    const program = this.#reading.get(withCache) ?? this.#compile(withCache);
    this.#reading.set(withCache, program);
    return program;
  }

  /** One more token a row. */
  step(): Program {
    this.#step ??= stepGraph(this.model, this.layers);
    return this.#step;
  }
}
