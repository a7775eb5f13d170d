// @ts-check
/** @import { DataPosition, Optimizer, Trainer, TrainingContext, TrainingEvent } from "codex-ml" */
import {
  DataWarnings,
  Evaluator,
  InvalidOptionError,
  mul,
  sub,
  TrainingStep,
  trainingBatches,
} from "codex-ml";

/**
 * Stochastic gradient descent, θ' = θ − rate · g, written as a part of the graph that a step runs.
 *
 * @type {Optimizer}
 */
const sgd = {
  slots: [],
  scalars: ["rate"],
  scalarValues: ({ learningRate }) => ({ rate: learningRate }),
  update: ({ parameter, gradient, scalars }) => ({
    parameter: sub(parameter, mul(gradient, scalars.rate)),
    slots: {},
  }),
};

/** @implements {Trainer} */
class ToyTrainer {
  /** It goes on from a checkpoint. */
  resumes = true;

  /** @param {{ maxSteps: number, batchSize: number, learningRate: number }} options */
  constructor({ maxSteps, batchSize, learningRate }) {
    this.maxSteps = maxSteps;
    this.batchSize = batchSize;
    this.learningRate = learningRate;
  }

  /** @param {TrainingContext} context @returns {AsyncGenerator<TrainingEvent>} */
  async *train({ model, tokenizer, data, metrics, seed, signal, saveCheckpoint, resume, profiler }) {
    const { maxSteps, batchSize, learningRate } = this;
    const { vocabSize, maxPositionEmbeddings: sequenceLength } = model;
    const batching = { data, tokenizer, vocabSize, batchSize, sequenceLength, seed };
    const step = new TrainingStep({ model, optimizer: sgd, batchSize, sequenceLength, seed, profiler });
    const warnings = new DataWarnings(sequenceLength);
    let position = { epoch: 0, start: 0 };
    if (resume) {
      step.restore(resume);
      position = /** @type {DataPosition} */ (resume.state.data);
    }

    for await (const { batch, position: next, counts } of trainingBatches(batching, position)) {
      if (signal.aborted || step.step >= maxSteps) break;
      const started = performance.now();
      const { loss, gradientNorm } = await step.run([batch], learningRate);
      const { counted: tokens } = batch;
      const tokensPerSecond = tokens / ((performance.now() - started) / 1000);
      yield { type: "step", step: step.step, loss, learningRate, gradientNorm, tokens, tokensPerSecond };
      position = next;
      yield* warnings.about(counts);
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
 *   update, and the learning rate, which stays as it is.
 */
export function build({ maxSteps = 300, batchSize = 16, learningRate = 0.1, ...unknown } = {}) {
  for (const name of Object.keys(unknown))
    throw new InvalidOptionError(name, "unknown option; it takes maxSteps, batchSize and learningRate");
  for (const [name, value] of Object.entries({ maxSteps, batchSize }))
    if (!Number.isInteger(value) || value < 1)
      throw new InvalidOptionError(name, "expected a positive integer");
  if (!(learningRate > 0)) throw new InvalidOptionError("learningRate", "expected a number above 0");
  return new ToyTrainer({ maxSteps, batchSize, learningRate });
}
