import type { StepEvent } from "../trainers/index.ts";

/** What a display needs to know beyond the last event: how fast the run goes, and its mean loss since it was last shown. */
export class Progress {
  readonly maxSteps: number | undefined;
  #first: { readonly step: number; readonly at: number } | undefined;
  #last: StepEvent | undefined;
  #at = 0;
  #lossSum = 0;
  #tokens = 0;
  #secondsPerToken: number | undefined;

  constructor(maxSteps: number | undefined) {
    this.maxSteps = maxSteps;
  }

  get last(): StepEvent | undefined {
    return this.#last;
  }

  /** @param now Seconds. */
  add(event: StepEvent, now: number): void {
    this.#first ??= { step: event.step, at: now };
    this.#last = event;
    this.#at = now;
    this.#lossSum += event.loss * event.tokens;
    this.#tokens += event.tokens;
    const latest = 1 / event.tokensPerSecond;
    this.#secondsPerToken =
      this.#secondsPerToken === undefined ? latest : 0.9 * this.#secondsPerToken + 0.1 * latest;
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
