import {
  add,
  DataWarnings,
  defineTrainer,
  Evaluator,
  mul,
  type Optimizer,
  sub,
  type Tensor,
  type Trainer,
  type TrainingContext,
  type TrainingEvent,
  TrainingStep,
  trainingBatches,
} from "codex-ml";
import { z } from "zod";

const count = z.int().positive();

const options = z.strictObject({
  maxSteps: count.default(300).describe("Updates to do."),
  batchSize: count.default(16).describe("Sequences of one update."),
  learningRate: z.number().positive().default(0.1).describe("Learning rate, the same at every update."),
  momentum: z
    .number()
    .min(0)
    .lt(1)
    .default(0.9)
    .describe("Share of the last update that the next one keeps."),
});

type Options = z.output<typeof options>;

/**
 * Stochastic gradient descent with momentum, v′ = momentum · v + g and θ′ = θ − learningRate · v′, written as a part of the
 * graph that a step runs (Sutskever et al. 2013, in the form that PyTorch has).
 */
function momentumDescent(momentum: number): Optimizer {
  return {
    /** State that each parameter has; it starts as zeros. */
    slots: ["velocity"],
    /** Numbers that are fed at each update, under these names. */
    scalars: ["rate"],
    scalarValues: ({ learningRate }) => ({ rate: learningRate }),
    update({ parameter, gradient, slots, scalars }) {
      const velocity = add(mul(slots.velocity as Tensor, momentum), gradient);
      return { parameter: sub(parameter, mul(velocity, scalars.rate as Tensor)), slots: { velocity } };
    },
  };
}

/** Trains on next-token prediction, evaluates once at the end, and saves one checkpoint there or where it was stopped. */
class MomentumTrainer implements Trainer {
  readonly maxSteps: number;
  readonly #options: Options;

  constructor(given: Options) {
    this.maxSteps = given.maxSteps;
    this.#options = given;
  }

  async *train(context: TrainingContext): AsyncGenerator<TrainingEvent> {
    const { model, tokenizer, data, metrics, seed, signal, saveCheckpoint } = context;
    const { maxSteps, batchSize, learningRate, momentum } = this.#options;
    const { vocabSize, maxPositionEmbeddings: sequenceLength } = model;
    const optimizer = momentumDescent(momentum);
    const step = new TrainingStep({ model, optimizer, batchSize, sequenceLength, seed });
    const batching = { data, tokenizer, vocabSize, batchSize, sequenceLength, seed };
    const warnings = new DataWarnings(sequenceLength);
    let position = { epoch: 0, start: 0 };

    for await (const { batch, position: next, counts } of trainingBatches(batching)) {
      if (signal.aborted) break;
      const started = performance.now();
      const { loss, gradientNorm } = await step.run([batch], learningRate);
      const { counted: tokens } = batch;
      const tokensPerSecond = tokens / ((performance.now() - started) / 1000);
      yield { type: "step", step: step.step, loss, learningRate, gradientNorm, tokens, tokensPerSecond };
      yield* warnings.about(counts);
      position = next;
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

export const build = defineTrainer({
  description: "Next-token prediction with stochastic gradient descent and momentum.",
  options,
  create: (given) => new MomentumTrainer(given),
});
