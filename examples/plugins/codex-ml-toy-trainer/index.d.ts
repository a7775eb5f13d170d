import type { Trainer } from "codex-ml/registry";

export interface ToyTrainerOptions {
  /** Updates to do. Default 300. */
  readonly maxSteps?: number;
  /** Sequences of one update. Default 16. */
  readonly batchSize?: number;
  /** The same at every update. Default 0.1. */
  readonly learningRate?: number;
}

/** Next-token prediction with plain stochastic gradient descent. */
export declare function build(options?: ToyTrainerOptions): Trainer;
