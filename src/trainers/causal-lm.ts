import { z } from "zod";
import type { Split } from "../data-loaders/index.ts";
import { adamW, type Schedule, warmupCosine } from "../optim/index.ts";
import { type BatchOptions, checkId, type DataPosition, trainingBatches } from "./batching.ts";
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
  readonly task = "causal_lm";
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
    // The first batches come first: data that cannot be trained on is told before a large model is drawn.
    const source = trainingBatches(batching);
    const nextUpdate = async () => {
      const parts = [];
      for (let index = 0; index < gradientAccumulationSteps; index++) parts.push((await source.next()).value);
      return parts;
    };
    let upcoming = nextUpdate();
    await unlessAborted(upcoming, signal);
    const step = this.#trainingStep(context, sequenceLength);
    const split: Split | undefined = data.splits.includes("validation") ? "validation" : undefined;
    const evaluator = split && new Evaluator(model, metrics, batching);
    const warnings = new DataWarnings(sequenceLength);

    const sample = this.#sampler(context, split ?? "train");
    let position: DataPosition = { epoch: 0, start: 0 };
    const save = async (): Promise<TrainingEvent> => {
      const state = { data: position, sequenceLength };
      const path = await context.saveCheckpoint({ step: step.step, ...step.tensors(), state });
      return { type: "checkpoint", step: step.step, path };
    };
    try {
      while (step.step < maxSteps) {
        const started = performance.now();
        const update = await unlessAborted(upcoming, signal);
        const last = update?.at(-1);
        if (update === undefined || last === undefined) break;
        const learningRate = this.#schedule(step.step + 1);
        const batches = update.map(({ batch }) => batch);
        const tokens = batches.reduce((sum, { counted }) => sum + counted, 0);
        const running = step.run(batches, learningRate);
        // The next batches are prepared while the graph runs. A failure there waits until this step is done and told.
        if (step.step + 1 < maxSteps) {
          upcoming = nextUpdate();
          upcoming.catch(() => {});
        }
        const { loss, gradientNorm } = await running;
        position = last.position;
        const tokensPerSecond = tokens / ((performance.now() - started) / 1000);
        yield* warnings.about(last.counts);
        yield { type: "step", step: step.step, loss, learningRate, gradientNorm, tokens, tokensPerSecond };
        const isLast = step.step === maxSteps;
        if (evaluator && split && (isLast || step.step % evalSteps === 0))
          yield* unlessInterrupted(signal, () => evaluationEvent(evaluator, split, step, signal));
        if (sampleTokens > 0 && (isLast || (sampleSteps !== undefined && step.step % sampleSteps === 0)))
          yield* unlessInterrupted(signal, () => sample(step));
      }
    } catch (error) {
      // What was learned so far is worth keeping, unless it is what broke. The first error is the one to tell.
      const isBroken = error instanceof TrainingError && error.code === "WEIGHTS_BROKEN";
      if (step.step > 0 && !isBroken)
        yield* await save().then(
          (event) => [event],
          () => [],
        );
      throw error;
    } finally {
      // Not waited for: a loader that is stuck would keep us.
      source.return(undefined as never).catch(() => {});
    }
    if (step.step > 0) yield await save();
    yield { type: "end", step: step.step, reason: step.step === maxSteps ? "maxSteps" : "interrupted" };
  }

  #sequenceLength({ model }: TrainingContext): number {
    const length = this.#options.sequenceLength ?? model.maxPositionEmbeddings;
    if (!Number.isFinite(length))
      throw new TrainingError(
        "SEQUENCE_LENGTH_MISSING",
        "The model reads sequences of any length; give the trainer a sequenceLength (128, for example).",
      );
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

  /** Writes samples; a prompt that cannot be continued is refused now, before the first step. */
  #sampler({ model, tokenizer, data, seed, signal }: TrainingContext, split: Split) {
    const { sampleTokens: maxNewTokens, sampleTemperature: temperature, samplePrompt } = this.#options;
    if (samplePrompt !== undefined)
      for (const id of tokenizer.encode(samplePrompt)) checkId(id, model.vocabSize, "samplePrompt");
    let generator: TextGenerator | undefined;
    return async ({ step, weights }: TrainingStep): Promise<SampleEvent | undefined> => {
      const prompt = samplePrompt ?? (await firstWords(data.texts(split)));
      // Data without text, and no token to start from: there is nothing to write about.
      if (samplePrompt === undefined && prompt === "" && tokenizer.eosTokenId === undefined) return undefined;
      generator ??= new TextGenerator(model, tokenizer);
      let text = "";
      const options = { maxNewTokens, temperature, seed, signal };
      for await (const piece of generator.generate(prompt, weights, options)) text += piece;
      return { type: "sample", step, prompt, text };
    };
  }
}

async function evaluationEvent(
  evaluator: Evaluator,
  split: Split,
  { step, weights }: TrainingStep,
  signal: AbortSignal,
): Promise<EvaluationEvent> {
  return { type: "evaluation", step, split, ...(await evaluator.evaluate(split, weights, signal)) };
}

/** What the promise gives, or undefined as soon as the signal aborts. */
async function unlessAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal,
): Promise<Result | undefined> {
  if (signal.aborted) return undefined;
  const stop = new AbortController();
  const aborted = new Promise<undefined>((resolve) =>
    signal.addEventListener("abort", () => resolve(undefined), { once: true, signal: stop.signal }),
  );
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stop.abort();
  }
}

/** An event that takes its time, unless the signal aborts before or meanwhile: half an evaluation is none. */
async function* unlessInterrupted(
  signal: AbortSignal,
  make: () => Promise<TrainingEvent | undefined>,
): AsyncGenerator<TrainingEvent> {
  if (signal.aborted) return;
  try {
    const event = await make();
    if (event !== undefined && !signal.aborted) yield event;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** A few words to go on from. */
async function firstWords(texts: AsyncIterable<string>): Promise<string> {
  for await (const text of texts) {
    const words = text.trim().split(/\s+/).slice(0, 6).join(" ");
    if (words !== "") return words;
  }
  return "";
}
