import type { EvaluationEvent, StepEvent, SystemEvent } from "../trainers/index.ts";

/** What a display needs to know beyond the last event: how fast the run goes, and its mean loss since it was last shown. */
export class Progress {
  readonly maxSteps: number | undefined;
  #first: { readonly step: number; readonly at: number } | undefined;
  #last: StepEvent | undefined;
  #at = 0;
  #lossSum = 0;
  #tokens = 0;
  #secondsPerToken: number | undefined;
  #loss: number | undefined;
  #evaluation: EvaluationEvent | undefined;
  #rss: number | undefined;

  constructor(maxSteps: number | undefined) {
    this.maxSteps = maxSteps;
  }

  get last(): StepEvent | undefined {
    return this.#last;
  }

  /** @param now Seconds, by a clock that nobody sets back. */
  add(event: StepEvent, now: number): void {
    this.#first ??= { step: event.step, at: now };
    this.#last = event;
    this.#at = now;
    this.#lossSum += event.loss * event.tokens;
    this.#tokens += event.tokens;
    this.#secondsPerToken = smoothed(this.#secondsPerToken, 1 / event.tokensPerSecond);
    this.#loss = smoothed(this.#loss, event.loss);
  }

  addEvaluation(event: EvaluationEvent): void {
    this.#evaluation = event;
  }

  addSystem({ rss }: SystemEvent): void {
    this.#rss = rss;
  }

  /** The last evaluation. */
  get evaluation(): EvaluationEvent | undefined {
    return this.#evaluation;
  }

  /** Memory of the process, in bytes, when it was looked at last. */
  get rss(): number | undefined {
    return this.#rss;
  }

  /** The training loss, smoothed over about ten steps. */
  get loss(): number {
    return this.#loss ?? Number.NaN;
  }

  /** Tokens a second, smoothed over about ten steps: a single one says little on a machine that does other things too. */
  get tokensPerSecond(): number {
    return 1 / (this.#secondsPerToken ?? Number.NaN);
  }

  /**
   * Seconds to the end at the pace so far, evaluations included. Unknown until the second step: the first one also
   * compiles.
   */
  get secondsLeft(): number | undefined {
    if (this.maxSteps === undefined || this.#first === undefined || this.#last === undefined)
      return undefined;
    const steps = this.#last.step - this.#first.step;
    return steps < 1 ? undefined : ((this.#at - this.#first.at) / steps) * (this.maxSteps - this.#last.step);
  }

  /** The mean loss per token since the last call: what an evaluation's loss is fairly compared with. */
  takeMeanLoss(): number | undefined {
    const mean = this.#tokens === 0 ? undefined : this.#lossSum / this.#tokens;
    this.#lossSum = 0;
    this.#tokens = 0;
    return mean;
  }
}

/** An exponential moving average. One value that is not finite does not spoil those after it. */
function smoothed(before: number | undefined, latest: number): number {
  return before === undefined || !Number.isFinite(before) ? latest : 0.9 * before + 0.1 * latest;
}
