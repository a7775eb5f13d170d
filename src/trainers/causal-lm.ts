import { z } from "zod";
import type { Model } from "../models/index.ts";
import { beginLoop } from "./begin-loop.ts";
import { causalObjective } from "./causal-objective.ts";
import { checkId } from "./check-id.ts";
import type { SampleEvent, TrainingEvent } from "./events.ts";
import type { TextGenerator } from "./generation/index.ts";
import { defineTrainer, type Trainer, type TrainingContext, type TrainingPlan } from "./index.ts";
import type { Objective } from "./objective.ts";
import { optimizerShapes } from "./optimizer-state.ts";
import { checkCommon, commonFields, completeCommon } from "./options.ts";
import { prepareTraining } from "./preparation.ts";
import type { TrainingStep } from "./training-step.ts";
import type { TrainingTrial } from "./trial.ts";

const count = z.int().positive();

const fields = z.strictObject({
  ...commonFields,
  samplePrompt: z
    .string()
    .optional()
    .describe("What a sample continues. Default: the first words of the validation split."),
  sampleSteps: count.optional().describe("Updates between samples. Default: one sample, at the end."),
  sampleTokens: z.int().min(0).default(96).describe("Tokens of a sample; 0: no samples."),
  sampleTemperature: z.number().min(0).default(0.8).describe("Temperature of samples."),
});

const options = fields.superRefine(checkCommon).transform(completeCommon);

export type CausalLmOptions = z.output<typeof options>;

/**
 * Trains a causal language model on next-token prediction. The loss of an update is the mean cross-entropy of all its tokens, so
 * that neither batch size nor gradient accumulation changes it; the gradient is clipped by its global norm. The learning rate
 * grows linearly and falls with half a cosine, and AdamW updates the parameters, unless options say otherwise. At the end, or
 * every `sampleSteps`, the model writes a sample. Sources: Loshchilov and Hutter (2019), "Decoupled Weight Decay
 * Regularization" (AdamW); (2017), "SGDR" (the cosine).
 */
export const causalLm = defineTrainer({
  description: "Next-token prediction: a model learns to go on with a text.",
  options,
  create: (given) => new CausalLmTrainer(given),
});

class CausalLmTrainer implements Trainer {
  readonly task = "causal_lm";
  readonly maxSteps: number | undefined;
  readonly resumes = true;
  readonly keptCheckpoints: number;
  readonly #options: CausalLmOptions;

  constructor(given: CausalLmOptions) {
    this.maxSteps = given.maxSteps;
    this.keptCheckpoints = given.saveTotalLimit + (given.metricForBestModel === undefined ? 0 : 1);
    this.#options = given;
  }

  objective(): Objective {
    return causalObjective({ labelSmoothing: this.#options.labelSmoothingFactor });
  }

  optimizerShapes(model: Model): ReadonlyMap<string, readonly number[]> {
    return optimizerShapes(model, this.#options);
  }

  prepare(context: TrainingContext): Promise<TrainingPlan> {
    return prepareTraining(context, this.#options, this.objective());
  }

  async trial(context: TrainingContext): Promise<TrainingTrial> {
    const { trialRun } = await import("./trial.ts");
    return trialRun(context, { options: this.#options, objective: this.objective() });
  }

  train(context: TrainingContext): AsyncGenerator<TrainingEvent> {
    const { sampleSteps, sampleTokens } = this.#options;
    return beginLoop(context, {
      options: this.#options,
      objective: this.objective(),
      ...(sampleTokens > 0 && { sample: this.#sampler(context), sampleSteps }),
    });
  }

  /** Writes samples; a prompt that cannot be continued is refused now, before the first step. */
  #sampler({ model, tokenizer, data, seed, signal, device }: TrainingContext) {
    const split = data.splits.includes("validation") ? "validation" : "train";
    const { sampleTokens: maxNewTokens, sampleTemperature: temperature, samplePrompt } = this.#options;
    if (samplePrompt !== undefined)
      for (const id of tokenizer.encode(samplePrompt)) checkId(id, model.vocabSize, "samplePrompt");
    let generator: TextGenerator | undefined;
    return async ({ step, weights }: TrainingStep): Promise<SampleEvent | undefined> => {
      const prompt = samplePrompt ?? (await firstWords(data.texts(split)));
      // Data without text, and no token to start from: there is nothing to write about.
      if (samplePrompt === undefined && prompt === "" && tokenizer.eosTokenId === undefined) return undefined;
      const generation = await import("./generation/index.ts");
      generator ??= new generation.TextGenerator(model, tokenizer, undefined, device);
      let text = "";
      const options = { maxNewTokens, temperature, seed, signal };
      for await (const piece of generator.generate(prompt, weights, options)) text += piece;
      return { type: "sample", step, prompt, text };
    };
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
