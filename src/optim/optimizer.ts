import type { Tensor } from "../tensor/index.ts";

/** State tensors by slot, each of the shape of what is updated. */
export type Slots = Readonly<Record<string, Tensor>>;

/** An update rule, written as graph: the whole update of all parameters runs inside the training step. */
export interface Optimizer {
  /** Names of the state tensors that each parameter has; they start as zeros. */
  readonly slots: readonly string[];
  /** Names of the float32 numbers that are fed at each update, as `update` reads them. */
  readonly scalars: readonly string[];
  /** The numbers of one update. `step` counts from 1. */
  scalarValues(update: {
    readonly step: number;
    readonly learningRate: number;
  }): Readonly<Record<string, number>>;
  /** Builds new values and new state, element by element, from the gradient. */
  update(request: UpdateRequest): { readonly parameter: Tensor; readonly slots: Slots };
}

/** One tensor to update: a parameter, or all vectors of a model laid end to end, which are too small to handle one by one. */
export interface UpdateRequest {
  readonly parameter: Tensor;
  /** Whether weight decay is for it: matrices, but not biases and norms. */
  readonly decays: boolean;
  readonly gradient: Tensor;
  readonly slots: Slots;
  readonly scalars: Readonly<Record<string, Tensor>>;
}
