import type { UpdateNumbers } from "./updates.ts";
import type { Weights } from "./weights.ts";

/** Which of its two places everything is at. */
export type Place = 0 | 1;

/** Weights, gradients and optimizer state of the parameters that are trained. */
export interface StepMemory {
  /** The parameters at a place. */
  parameters(place: Place): Weights;
  /** The optimizer's state at a place, by `slot/parameter`. */
  slots(place: Place): Weights;
  /** Gradients by parameter, of one of the sets. */
  gradients(set: number): Weights;
  /** Sets one of the sets of gradients to zeros. */
  clearGradients(set: number): void | Promise<void>;
}

/** How parameters and state are replaced. An update reads one place and writes the other. */
export interface StepUpdates {
  readonly memory: StepMemory;
  /** Where parameters and state are now. */
  readonly place: Place;
  /** Goes on where so many updates would have come to. */
  startFrom(step: number): void;
  /** Replaces all parameters and all state. */
  run(numbers: UpdateNumbers): Promise<void>;
}
