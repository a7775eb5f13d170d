import { type Random, Tensor } from "../tensor/index.ts";

/** Fills a parameter's memory with its first values. */
export type Initializer = (values: Float32Array, random: Random) => void;

/** Draws from the normal distribution with mean 0. */
export function normal(standardDeviation: number): Initializer {
  return (values, random) => {
    for (let index = 0; index < values.length; index++) values[index] = standardDeviation * random.normal();
  };
}

/** Draws evenly from [−limit, limit). */
export function uniform(limit: number): Initializer {
  return (values, random) => {
    for (let index = 0; index < values.length; index++) values[index] = limit * (2 * random.uniform() - 1);
  };
}

export const zeros: Initializer = (values) => void values.fill(0);
export const ones: Initializer = (values) => void values.fill(1);

/** A trained tensor: float32 numbers that the runtime feeds into every graph that reads it. */
export class Parameter extends Tensor {
  /** Replaced where a run starts from the weights of another. */
  initialize: Initializer;
  /** Path in its model, as `transformer.h.0.attn.c_attn.weight`; given by {@link Module.parameters}. */
  name: string;

  constructor(shape: readonly number[], initialize: Initializer, name = "") {
    const source = { kind: "input" as const, name };
    super({ dtype: "float32", shape }, source);
    this.initialize = initialize;
    this.name = name;
    // Graphs name a parameter by its path, which is known only once the whole model stands.
    Object.defineProperty(source, "name", { get: () => this.name });
  }

  /** The shape as numbers: a parameter has no free axis. */
  get dims(): readonly number[] {
    return this.shape as readonly number[];
  }
}
