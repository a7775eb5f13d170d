import { BestEvaluation } from "../trainers/best-evaluation.ts";
import type { Callback } from "./callbacks.ts";

export interface EarlyStoppingOptions {
  /** Any value that an evaluation gives. Default `loss`. */
  readonly metricForBestModel?: string;
  /** Evaluations in a row that may be no better than the best before. Default 1. */
  readonly earlyStoppingPatience?: number;
  /** By how much one must be better to count. Default 0. */
  readonly earlyStoppingThreshold?: number;
  /** Default: by the metric's name. */
  readonly greaterIsBetter?: boolean;
}

/**
 * Ends a run after some evaluations of the validation split without a better one: the rule of the built-in trainers'
 * `earlyStoppingPatience`, for any trainer. Theirs is part of a checkpoint; this one counts anew when a run is resumed.
 *
 * @example
 * await train("run.yaml", { callbacks: [earlyStopping({ earlyStoppingPatience: 3 })] });
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const { metricForBestModel = "loss", earlyStoppingPatience = 1, earlyStoppingThreshold = 0 } = options;
  if (!Number.isInteger(earlyStoppingPatience) || earlyStoppingPatience < 1)
    throw new RangeError(`earlyStoppingPatience is ${earlyStoppingPatience}; expected a whole number from 1`);
  const best = new BestEvaluation({
    metricForBestModel,
    earlyStoppingPatience,
    earlyStoppingThreshold,
    greaterIsBetter: options.greaterIsBetter,
  });
  return {
    name: "earlyStopping",
    evaluation(event, run) {
      if (event.split !== "validation") return;
      best.isBest(event);
      if (!best.isOver) return;
      const count = earlyStoppingPatience === 1 ? "one evaluation" : `${earlyStoppingPatience} evaluations`;
      run.stop(`${metricForBestModel} got no better in ${count}`);
    },
  };
}
