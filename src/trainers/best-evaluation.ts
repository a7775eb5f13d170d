import { flatValue } from "../metrics/index.ts";
import { TrainingError } from "./errors.ts";
import type { Evaluation } from "./evaluation.ts";
import type { CommonOptions } from "./options.ts";

type BestOptions = Pick<
  CommonOptions,
  "metricForBestModel" | "greaterIsBetter" | "earlyStoppingPatience" | "earlyStoppingThreshold"
>;

/** Values of which less is better, by the last part of their names. */
const LESS_IS_BETTER =
  /(^|[._])(loss|perplexity|ppl|bits_per_byte|wer|cer|ter|error|expected_calibration_error)$/;

/** Which evaluation was the best so far, and whether it is time to stop. */
export class BestEvaluation {
  readonly #options: BestOptions;
  #best: number | undefined;
  #since = 0;

  constructor(options: BestOptions) {
    this.#options = options;
  }

  /**
   * Whether this evaluation is better than all before. One whose value is not a number (NaN) never is.
   *
   * @throws TrainingError when it has no such value.
   */
  isBest({ loss, metrics }: Evaluation): { readonly metric: string; readonly value: number } | undefined {
    const { metricForBestModel: metric, earlyStoppingThreshold: threshold } = this.#options;
    if (metric === undefined) return undefined;
    const values = new Map([
      ["loss", loss],
      ...Object.entries(metrics).flatMap(([name, value]) => flatValue(name, value)),
    ]);
    const value = values.get(metric);
    if (value === undefined)
      throw new TrainingError(
        "NO_SUCH_METRIC",
        `metricForBestModel is ${JSON.stringify(metric)}, and an evaluation gives ${[...values.keys()].join(", ")}.`,
      );
    const greater = this.#options.greaterIsBetter ?? !LESS_IS_BETTER.test(metric);
    const gain =
      this.#best === undefined ? Number.POSITIVE_INFINITY : (value - this.#best) * (greater ? 1 : -1);
    if (Number.isNaN(value) || !(gain > threshold)) {
      this.#since++;
      return undefined;
    }
    this.#best = value;
    this.#since = 0;
    return { metric, value };
  }

  /** Whether there were as many evaluations without a better one as early stopping has patience for. */
  get isOver(): boolean {
    return this.#since >= (this.#options.earlyStoppingPatience ?? Number.POSITIVE_INFINITY);
  }
}
