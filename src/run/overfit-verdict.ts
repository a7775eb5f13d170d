import type { OverfitEvent, RunEvent } from "../trainers/index.ts";
import { counted } from "./counted.ts";

/** Loss in nats under which a batch counts as learned by heart: targets then have 90 % probability, in their geometric mean. */
const OVERFIT_LOSS = 0.1;

/** Watches a run that is to learn a few batches by heart, and judges it. */
export class OverfitVerdict {
  readonly #batches: number;
  #first: number | undefined;
  #loss: number | undefined;
  #isEvaluated = false;

  constructor(batches: number) {
    this.#batches = batches;
  }

  add(event: RunEvent): void {
    if (event.type === "step") {
      this.#first ??= event.loss;
      // What the trainer minimises may have smoothing and weights in it; an evaluation has not.
      if (!this.#isEvaluated) this.#loss = event.loss;
    }
    if (event.type === "evaluation") {
      this.#isEvaluated = true;
      this.#loss = event.loss;
    }
  }

  /** Undefined when neither a step nor an evaluation was seen. */
  tell(step: number): OverfitEvent | undefined {
    if (this.#loss === undefined) return undefined;
    const passed = this.#loss <= OVERFIT_LOSS;
    const what = `${counted(this.#batches, "batch")} over ${counted(step, "step")}`;
    const loss = `loss ${this.#loss.toFixed(4)}`;
    return {
      type: "overfit",
      step,
      batches: this.#batches,
      loss: this.#loss,
      threshold: OVERFIT_LOSS,
      passed,
      message: passed
        ? `the model learned ${what} by heart: ${loss}, at most ${OVERFIT_LOSS} was wanted. Model, loss, labels and optimizer work together`
        : `the model did not learn ${what} by heart: ${loss}, and ${OVERFIT_LOSS} or less was wanted${this.#first === undefined ? "" : ` (it began at ${this.#first.toFixed(4)})`}.\n${advice}`,
    };
  }
}

const advice = `What is usually wrong, most often first:
  too few updates: give a larger trainer.maxSteps; or a learning rate that is too small or falls too soon
  a learning rate that is too large: the loss jumps about instead of falling; try a tenth
  something holds the weights back: frozen parameters (freeze), weightDecay, a small maxGradNorm
  a model that is too small for the batch, or cut off from its input: the loss stays where it began
  labels that do not follow from the input: the same text with several labels, a wrong column, everything cut away. \`codex-ml data inspect\` shows what the model sees`;
