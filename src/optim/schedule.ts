/** The learning rate of an update; `step` counts from 1. */
export type Schedule = (step: number) => number;

export interface ScheduleOptions {
  /** Peak. */
  readonly learningRate: number;
  /** Updates of linear growth from 0; the peak is reached at update `warmupSteps`. */
  readonly warmupSteps: number;
  readonly maxSteps: number;
  /** What is left of the peak at the last update. */
  readonly minLrRate: number;
}

/** Linear warm-up, then half a cosine from the peak down to `minLrRate` of it at the last update (Loshchilov & Hutter 2017). */
export function warmupCosine({ learningRate, warmupSteps, maxSteps, minLrRate }: ScheduleOptions): Schedule {
  return (step) => {
    if (step <= warmupSteps) return (learningRate * step) / warmupSteps;
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, maxSteps - warmupSteps));
    return learningRate * (minLrRate + (1 - minLrRate) * 0.5 * (1 + Math.cos(Math.PI * progress)));
  };
}
