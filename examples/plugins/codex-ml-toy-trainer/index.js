// @ts-check
/** @import { Optimizer, Tensor, Trainer, TrainingContext, TrainingEvent } from "codex-ml" */
import { Evaluator, InvalidOptionError, mul, sub, TrainingStep, trainingBatches } from "codex-ml";

/**
 * Stochastic gradient descent, θ' = θ − rate · g, as part of the graph of a step.
 *
 * @type {Optimizer}
 */
const sgd = {
  slots: [],
  scalars: ["rate"],
  scalarValues: ({ learningRate }) => ({ rate: learningRate }),
  update({ parameter, gradient, scalars }) {
    const rate = /** @type {Tensor} */ (scalars["rate"]);
    return { parameter: sub(parameter, mul(gradient, rate)), slots: {} };
  },
};

/** @implements {Trainer} */
class ToyTrainer {
  /** @param {{ maxSteps: number, batchSize: number, learningRate: number }} options */
  constructor({ maxSteps, batchSize, learningRate }) {
    this.maxSteps = maxSteps;
    this.batchSize = batchSize;
    this.learningRate = learningRate;
  }

  /** @param {TrainingContext} context @returns {AsyncGenerator<TrainingEvent>} */
  async *train({ model, tokenizer, data, metrics, seed, signal, saveCheckpoint }) {
    const { maxSteps, batchSize, learningRate } = this;
    const { vocabSize, maxPositionEmbeddings: sequenceLength } = model;
    const batching = { data, tokenizer, vocabSize, batchSize, sequenceLength, seed };
    const updates = { batchSize, sequenceLength, gradientAccumulationSteps: 1, maxGradNorm: 0, seed };
    const step = new TrainingStep({ model, optimizer: sgd, ...updates });
    let position = { epoch: 0, start: 0 };

    for await (const next of trainingBatches(batching)) {
      if (signal.aborted) break;
      const started = performance.now();
      const result = await step.run([next.batch], learningRate);
      position = next.position;
      const tokens = next.batch.counted;
      const tokensPerSecond = tokens / ((performance.now() - started) / 1000);
      yield { type: "step", step: step.step, ...result, learningRate, tokens, tokensPerSecond };
      if (step.step === maxSteps) break;
    }

    if (data.splits.includes("validation") && !signal.aborted) {
      const evaluation = await new Evaluator(model, metrics, batching).evaluate("validation", step.weights);
      yield { type: "evaluation", step: step.step, split: "validation", ...evaluation };
    }
    if (step.step > 0) {
      const state = { data: position, sequenceLength };
      const path = await saveCheckpoint({ step: step.step, ...step.tensors(), state });
      yield { type: "checkpoint", step: step.step, path };
    }
    yield { type: "end", step: step.step, reason: step.step === maxSteps ? "maxSteps" : "interrupted" };
  }
}

/**
 * @param {{ maxSteps?: number, batchSize?: number, learningRate?: number }} [options] Updates to do, sequences of one
 *   update, and the rate, which stays as it is.
 */
export function build({ maxSteps = 300, batchSize = 16, learningRate = 0.5, ...unknown } = {}) {
  for (const name of Object.keys(unknown))
    throw new InvalidOptionError(name, "unknown option; it takes maxSteps, batchSize and learningRate");
  for (const [name, value] of Object.entries({ maxSteps, batchSize }))
    if (!Number.isInteger(value) || value < 1)
      throw new InvalidOptionError(name, "expected a positive integer");
  if (!(learningRate > 0)) throw new InvalidOptionError("learningRate", "expected a number above 0");
  return new ToyTrainer({ maxSteps, batchSize, learningRate });
}
