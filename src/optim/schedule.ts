/** The learning rate of an update; `step` counts from 1. */
export type Schedule = (step: number) => number;

/** How a learning rate grows and falls, by the names of transformers' `SchedulerType`. */
export type ScheduleShape =
  | { readonly name: "constant" | "constant_with_warmup" | "linear" }
  /** `numCycles` waves of the cosine. Default 0.5: from the peak down. */
  | { readonly name: "cosine"; readonly numCycles?: number }
  /** The same, down to `minLrRate` of the peak (Loshchilov & Hutter 2017). */
  | { readonly name: "cosine_with_min_lr"; readonly numCycles?: number; readonly minLrRate: number }
  | ({ readonly name: "warmup_stable_decay" } & WarmupStableDecay)
  /** The peak times √(timescale / (timescale + updates since warm-up)). */
  | { readonly name: "inverse_sqrt"; readonly timescale: number };

/** Stays at the peak until the last `numDecaySteps` updates (Hu et al. 2024). */
interface WarmupStableDecay {
  readonly numDecaySteps: number;
  /** Default `linear`. */
  readonly warmupType?: Ramp;
  /** Default `cosine`. */
  readonly decayType?: Ramp;
  /** Share of the peak that it starts at and decays to. Default 0. */
  readonly minLrRate?: number;
  /** Waves of a decay by the cosine. Default 0.5. */
  readonly numCycles?: number;
}

type Ramp = "linear" | "cosine" | "1-sqrt";

export interface ScheduleOptions {
  /** Peak. */
  readonly learningRate: number;
  /** Updates of growth from 0; the peak is reached at update `warmupSteps`. */
  readonly warmupSteps: number;
  readonly maxSteps: number;
}

/**
 * The learning rates of transformers' `get_scheduler`, where that has done as many steps: its first update, which during
 * warm-up has a rate of 0, is left out, and the last one has what it comes down to.
 */
export function learningRateSchedule(options: ScheduleOptions & ScheduleShape): Schedule {
  const { learningRate, warmupSteps } = options;
  const after = shareAfterWarmup(options);
  const during = options.name === "warmup_stable_decay" ? rampUp(options) : undefined;
  return (step) => {
    if (options.name === "constant" || step > warmupSteps)
      return learningRate * after(Math.max(0, step - warmupSteps));
    if (during !== undefined) return learningRate * during(step / warmupSteps);
    return (learningRate * step) / warmupSteps;
  };
}

/** Share of the peak, by updates since warm-up. */
function shareAfterWarmup(options: ScheduleOptions & ScheduleShape): (since: number) => number {
  const { warmupSteps, maxSteps } = options;
  const length = Math.max(1, maxSteps - warmupSteps);
  switch (options.name) {
    case "constant":
    case "constant_with_warmup":
      return () => 1;
    case "linear":
      return (since) => Math.max(0, (length - since) / length);
    case "cosine":
      return (since) => Math.max(0, wave(since / length, options.numCycles));
    case "cosine_with_min_lr":
      return (since) => between(options.minLrRate, wave(Math.min(1, since / length), options.numCycles));
    case "warmup_stable_decay": {
      const { numDecaySteps, decayType = "cosine", minLrRate = 0, numCycles } = options;
      const stable = maxSteps - warmupSteps - numDecaySteps;
      return (since) => {
        const progress = Math.min(1, Math.max(0, since - stable) / numDecaySteps);
        if (progress === 1) return minLrRate;
        if (decayType === "cosine") return between(minLrRate, wave(progress, numCycles));
        return between(minLrRate, 1 - (decayType === "linear" ? progress : Math.sqrt(progress)));
      };
    }
    case "inverse_sqrt": {
      const { timescale } = options;
      return (since) => 1 / Math.sqrt((since + timescale) / timescale);
    }
  }
}

/** Share of the peak, by progress of the warm-up. */
function rampUp({ warmupType = "linear", minLrRate = 0 }: WarmupStableDecay): (progress: number) => number {
  const ramps: Readonly<Record<Ramp, (progress: number) => number>> = {
    linear: (progress) => progress,
    cosine: (progress) => 0.5 * (1 - Math.cos(Math.PI * progress)),
    "1-sqrt": (progress) => 1 - Math.sqrt(1 - progress),
  };
  return (progress) => between(minLrRate, ramps[warmupType](progress));
}

/** From 1 down to 0 in half a cycle. */
function wave(progress: number, numCycles = 0.5): number {
  return 0.5 * (1 + Math.cos(Math.PI * (2 * numCycles * progress)));
}

function between(lowest: number, share: number): number {
  return lowest + (1 - lowest) * share;
}
