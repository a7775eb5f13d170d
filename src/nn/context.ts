import { dropoutMask, type Shape, type Tensor } from "../tensor/index.ts";

/** What `forward` is traced for. */
export interface ForwardContext {
  readonly training: boolean;
  /** Factors of inverted dropout, or nothing where nothing is dropped (evaluation, or probability 0). */
  dropoutFactors(shape: Shape, probability: number): Tensor | undefined;
}

/** Evaluation, generation and export: nothing random. */
export function evaluationContext(): ForwardContext {
  return { training: false, dropoutFactors: () => undefined };
}

/**
 * Training. Every dropout of a trace has a number of its own, its place in the order of tracing, so that it draws the same
 * numbers for the same key in every run.
 *
 * @param key two int32 scalars that change with every forward pass.
 */
export function trainingContext(key: readonly [Tensor, Tensor]): ForwardContext {
  let sites = 0;
  return {
    training: true,
    dropoutFactors: (shape, probability) =>
      probability === 0 ? undefined : dropoutMask(shape, probability, key, sites++),
  };
}
