import { z } from "zod";
import type { Split } from "../data-loaders/index.ts";
import { adamW, type Schedule, warmupCosine } from "../optim/index.ts";
import type { BatchOptions, DataPosition } from "./batching.ts";
import { trainingBatches } from "./batching.ts";
import { DataWarnings } from "./data-warnings.ts";
import { TrainingError } from "./errors.ts";
import { Evaluator } from "./evaluation.ts";
import type { EvaluationEvent, SampleEvent, TrainingEvent } from "./events.ts";
import { TextGenerator } from "./generation.ts";
import { defineTrainer, type Trainer, type TrainingContext } from "./index.ts";
import { TrainingStep } from "./training-step.ts";

const count = z.int().positive();
const fraction = z.number().min(0).lt(1);

const fields = z.strictObject({
  maxSteps: count.describe("Optimizer updates to do."),
  batchSize: count.default(16).describe("Sequences of one forward pass."),
  gradientAccumulationSteps: count.default(1).describe("Forward passes of one update."),
  sequenceLength: count
    .optional()
    .describe("Tokens of a sequence. Default: the model's maxPositionEmbeddings."),
  learningRate: z.number().positive().default(1e-3).describe("Peak learning rate."),
  warmupSteps: z
    .int()
    .min(0)
    .default(0)
    .describe("Updates over which the learning rate grows from 0 to its peak."),
  minLrRate: z.number().min(0).max(1).default(0.1).describe("Share of the peak that the cosine decays to."),
  weightDecay: z.number().min(0).default(0.1).describe("Decoupled decay of matrices."),
  adamBeta1: fraction.default(0.9).describe("Decay of AdamW's mean of gradients."),
  adamBeta2: fraction.default(0.95).describe("Decay of AdamW's mean of squared gradients."),
  adamEpsilon: z.number().positive().default(1e-8).describe("Added to AdamW's denominator."),
  maxGradNorm: z.number().min(0).default(1).describe("Largest global norm of the gradient; 0: any."),
  evalSteps: count
    .optional()
    .describe("Updates between evaluations on the validation split. Default: a tenth of maxSteps."),
  samplePrompt: z
    .string()
    .optional()
    .describe("What a sample continues. Default: the first words of the validation split."),
  sampleSteps: count.optional().describe("Updates between samples. Default: one sample, at the end."),
  sampleTokens: z.int().min(0).default(96).describe("Tokens of a sample; 0: no samples."),
  sampleTemperature: z.number().min(0).default(0.8).describe("Temperature of samples."),
});

const options = fields.transform((given) => ({
  ...given,
  evalSteps: given.evalSteps ?? Math.ceil(given.maxSteps / 10),
}));

export type CausalLmOptions = z.output<typeof options>;

/** Trains a causal language model on next-token prediction. */
export const causalLm = defineTrainer({
  description: "Next-token prediction with AdamW, warm-up and cosine decay.",
  options,
  create: (given) => new CausalLmTrainer(given),
});

class CausalLmTrainer implements Trainer {
  readonly maxSteps: number;
  readonly #options: CausalLmOptions;
  readonly #schedule: Schedule;

  constructor(given: CausalLmOptions) {
    this.maxSteps = given.maxSteps;
    this.#options = given;
    this.#schedule = warmupCosine(given);
  }

  async *train(context: TrainingContext): AsyncGenerator<TrainingEvent> {
    const { model, tokenizer, data, metrics, signal, seed } = context;
    const { maxSteps, batchSize, gradientAccumulationSteps, evalSteps, sampleSteps, sampleTokens } =
      this.#options;
    const sequenceLength = this.#sequenceLength(context);
    const batching: BatchOptions = {
      data,
      tokenizer,
      vocabSize: model.vocabSize,
      batchSize,
      sequenceLength,
      seed,
    };
    const step = this.#trainingStep(context, sequenceLength);
    const split: Split | undefined = data.splits.includes("validation") ? "validation" : undefined;
    const evaluator = split && new Evaluator(model, metrics, batching);
    const warnings = new DataWarnings(sequenceLength);

    const source = trainingBatches(batching);
    const nextUpdate = async () => {
      const parts = [];
      for (let index = 0; index < gradientAccumulationSteps; index++) parts.push((await source.next()).value);
      return parts;
    };
    let update = await nextUpdate();
    let position: DataPosition = { epoch: 0, start: 0 };
    while (step.step < maxSteps && !signal.aborted) {
      const started = performance.now();
      const learningRate = this.#schedule(step.step + 1);
      const tokens = update.reduce((sum, { batch }) => sum + batch.counted, 0);
      const running = step.run(
        update.map(({ batch }) => batch),
        learningRate,
      );
      const last = update.at(-1);
      if (last) position = last.position;
      // The next batches are prepared while the graph runs. A failure there waits until this step is done.
      const upcoming = step.step + 1 < maxSteps ? nextUpdate() : undefined;
      upcoming?.catch(() => {});
      const { loss, gradientNorm } = await running;
      if (upcoming) update = await upcoming;
      if (last) yield* warnings.about(last.counts);
      const tokensPerSecond = tokens / ((performance.now() - started) / 1000);
      yield { type: "step", step: step.step, loss, learningRate, gradientNorm, tokens, tokensPerSecond };
      if (evaluator && split && (step.step % evalSteps === 0 || step.step === maxSteps) && !signal.aborted)
        yield await evaluationEvent(evaluator, split, step);
      const isSampled =
        step.step === maxSteps || (sampleSteps !== undefined && step.step % sampleSteps === 0);
      if (isSampled && sampleTokens > 0 && !signal.aborted)
        yield await this.#sample(context, step, split ?? "train");
    }
    await source.return(undefined as never);

    if (step.step > 0) {
      const path = await context.saveCheckpoint({
        step: step.step,
        ...step.tensors(),
        state: { data: position, sequenceLength },
      });
      yield { type: "checkpoint", step: step.step, path };
    }
    yield { type: "end", step: step.step, reason: step.step === maxSteps ? "maxSteps" : "interrupted" };
  }

  #sequenceLength({ model }: TrainingContext): number {
    const length = this.#options.sequenceLength ?? model.maxPositionEmbeddings;
    if (length > model.maxPositionEmbeddings)
      throw new TrainingError(
        "SEQUENCE_TOO_LONG",
        `sequenceLength is ${length}, but the model sees at most ${model.maxPositionEmbeddings} positions (maxPositionEmbeddings).`,
      );
    return length;
  }

  #trainingStep({ model, seed }: TrainingContext, sequenceLength: number): TrainingStep {
    const { batchSize, gradientAccumulationSteps, maxGradNorm, weightDecay } = this.#options;
    const { adamBeta1: beta1, adamBeta2: beta2, adamEpsilon: epsilon } = this.#options;
    const optimizer = adamW({ beta1, beta2, epsilon, weightDecay });
    return new TrainingStep({
      model,
      optimizer,
      batchSize,
      sequenceLength,
      gradientAccumulationSteps,
      maxGradNorm,
      seed,
    });
  }

  async #sample(
    { model, tokenizer, data, seed }: TrainingContext,
    step: TrainingStep,
    split: Split,
  ): Promise<SampleEvent> {
    const { sampleTokens: maxNewTokens, sampleTemperature: temperature } = this.#options;
    const prompt = this.#options.samplePrompt ?? (await firstWords(data.texts(split)));
    let text = "";
    for await (const piece of new TextGenerator(model, tokenizer).generate(prompt, step.weights, {
      maxNewTokens,
      temperature,
      seed,
    }))
      text += piece;
    return { type: "sample", step: step.step, prompt, text };
  }
}

async function evaluationEvent(
  evaluator: Evaluator,
  split: Split,
  { step, weights }: TrainingStep,
): Promise<EvaluationEvent> {
  return { type: "evaluation", step, split, ...(await evaluator.evaluate(split, weights)) };
}

/** A few words to go on from. */
async function firstWords(texts: AsyncIterable<string>): Promise<string> {
  for await (const text of texts) {
    const words = text.trim().split(/\s+/).slice(0, 6).join(" ");
    if (words !== "") return words;
  }
  return "";
}
