import { z } from "zod";
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

/** A number, or an infinity as text. Never NaN: that is no best value. */
type JsonNumber = number | "Infinity" | "-Infinity";

/** The best evaluation so far, as a checkpoint says it. */
export interface Best {
  readonly metric: string;
  readonly value: JsonNumber;
}

function jsonNumber(value: number): JsonNumber {
  if (Number.isFinite(value)) return value;
  return value > 0 ? "Infinity" : "-Infinity";
}

/** What {@link BestEvaluation} remembers, as JSON. */
export const bestState = z.strictObject({
  metric: z.string().optional(),
  /** JSON has no infinity: such a value is text. */
  value: z.union([z.number(), z.enum(["Infinity", "-Infinity"])]).optional(),
  since: z.int().min(0),
});

export type BestState = z.output<typeof bestState>;

/** Which evaluation was the best so far, and whether it is time to stop. */
export class BestEvaluation {
  readonly #options: BestOptions;
  #best: number | undefined;
  #since = 0;

  /** @param state What another of these gave as its `state`, of the same run. Forgotten when the metric is another now. */
  constructor(options: BestOptions, state?: BestState) {
    this.#options = options;
    if (state === undefined || state.metric !== options.metricForBestModel) return;
    this.#since = state.since;
    if (state.value !== undefined) this.#best = Number(state.value);
  }

  get state(): BestState {
    const { metricForBestModel: metric } = this.#options;
    return {
      ...(metric !== undefined && { metric }),
      ...(this.#best !== undefined && { value: jsonNumber(this.#best) }),
      since: this.#since,
    };
  }

  /**
   * Whether this evaluation is better than all before. One whose value is not a number (NaN) never is.
   *
   * @throws TrainingError when it has no such value.
   */
  isBest({ loss, metrics }: Evaluation): Best | undefined {
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
    return { metric, value: jsonNumber(value) };
  }

  /** Whether there were as many evaluations without a better one as early stopping has patience for. */
  get isOver(): boolean {
    return this.#since >= (this.#options.earlyStoppingPatience ?? Number.POSITIVE_INFINITY);
  }
}
