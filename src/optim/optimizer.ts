import type { Tensor } from "../tensor/index.ts";

/** State tensors by slot. */
export type Slots = Readonly<Record<string, Tensor>>;

/** How tensors are updated, written as graph: the whole update of all parameters runs inside the training step. */
export interface UpdateRule {
  /**
   * Names of the state tensors that each parameter has. They start as zeros, and checkpoints keep them as `slot/parameter`:
   * that and the step is all that an optimizer may remember, so that a run can go on from it.
   */
  readonly slots: readonly string[];
  /**
   * Whether the rule looks at a parameter as a whole: at its norm, its rows. Then it is given each parameter by itself, in
   * the parameter's shape. Without it a rule goes element by element, and small parameters are laid end to end.
   */
  readonly perParameter?: true;
  /** The shape of a slot for a parameter of that shape; only with `perParameter`. Default: the parameter's shape. */
  slotShape?(slot: string, shape: readonly number[]): readonly number[];
  /** Builds the new values and the new state of every slot from the gradient. */
  update(request: UpdateRequest): { readonly parameter: Tensor; readonly slots: Slots };
}

/** An update rule, and the numbers that it reads at each update. */
export interface Optimizer extends UpdateRule {
  /** Decay of matrices, where no group of parameters says otherwise. Default 0. */
  readonly weightDecay?: number;
  /** Names of the float32 numbers that are fed at each update, as `update` reads them. */
  readonly scalars: readonly string[];
  /** The numbers of one update, for parameters of one learning rate and one decay. */
  scalarValues(update: UpdateNumbers): Readonly<Record<string, number>>;
  /** Another rule for some parameters; it reads the same scalars. Default, and where it gives none: the optimizer itself. */
  ruleFor?(parameter: ParameterForm): UpdateRule | undefined;
}

export interface UpdateNumbers {
  /** Counts from 1. */
  readonly step: number;
  readonly learningRate: number;
  /** 0 for parameters that do not decay. */
  readonly weightDecay: number;
}

/** What is known of a parameter before anything is computed. */
export interface ParameterForm {
  readonly name: string;
  readonly shape: readonly number[];
}

/** One tensor to update: a parameter, or several small ones laid end to end, which are too small to handle one by one. */
export interface UpdateRequest {
  readonly parameter: Tensor;
  /** Whether weight decay is for it: by default matrices, but not biases and norms. */
  readonly decays: boolean;
  readonly gradient: Tensor;
  readonly slots: Slots;
  readonly scalars: Readonly<Record<string, Tensor>>;
}
