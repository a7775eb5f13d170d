import type { Parameter } from "../nn/index.ts";
import type { Tensor } from "../tensor/index.ts";

/** State tensors of one parameter by slot, each of the parameter's shape. */
export type Slots = Readonly<Record<string, Tensor>>;

/** An update rule, written as graph: the whole update of all parameters runs inside the training step. */
export interface Optimizer {
  /** Names of the state tensors that each parameter has; they start as zeros. */
  readonly slots: readonly string[];
  /** Names of the float32 numbers that are fed at each update, as `update` reads them. */
  readonly scalars: readonly string[];
  /** The numbers of one update. `step` counts from 1. */
  scalarValues(update: { readonly step: number; readonly learningRate: number }): Readonly<Record<string, number>>;
  /** Builds the new parameter and its new state from the gradient. */
  update(request: UpdateRequest): { readonly parameter: Tensor; readonly slots: Slots };
}

export interface UpdateRequest {
  readonly parameter: Parameter;
  readonly gradient: Tensor;
  readonly slots: Slots;
  readonly scalars: Readonly<Record<string, Tensor>>;
}
