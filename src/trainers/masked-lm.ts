import { z } from "zod";
import type { Model } from "../models/index.ts";
import { beginLoop } from "./begin-loop.ts";
import type { TrainingEvent } from "./events.ts";
import { defineTrainer, type Trainer, type TrainingContext, type TrainingPlan } from "./index.ts";
import { maskedObjective } from "./masked-objective.ts";
import type { Objective } from "./objective.ts";
import { optimizerShapes } from "./optimizer-state.ts";
import { checkCommon, commonFields, completeCommon } from "./options.ts";
import { prepareTraining } from "./preparation.ts";
import type { TrainingTrial } from "./trial.ts";

const fields = z.strictObject({
  ...commonFields,
  mlmProbability: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.15)
    .describe("Share of the tokens that the model has to guess."),
});

const options = fields.superRefine(checkCommon).transform(completeCommon);

type MaskedLmOptions = z.output<typeof options>;

/**
 * Pretrains an encoder: hides tokens of a text and has the model guess them. Of those to be guessed, 80 % are replaced by the mask,
 * 10 % by a random token, and 10 % stay; which ones is drawn anew for every epoch. It needs a tokenizer with a mask token, such as
 * `wordpiece`. Optimizer and schedule are those of `causal_lm`. Sources: Devlin et al. (2019), "BERT"; Liu et al. (2019),
 * "RoBERTa" (masks drawn anew).
 */
export const maskedLm = defineTrainer({
  description: "Masked language modelling (Devlin et al. 2019), with masks drawn anew for every epoch.",
  options,
  create: (given) => new MaskedLmTrainer(given),
});

class MaskedLmTrainer implements Trainer {
  readonly task = "masked_lm";
  readonly maxSteps: number | undefined;
  readonly resumes = true;
  readonly keptCheckpoints: number;
  readonly #options: MaskedLmOptions;

  constructor(given: MaskedLmOptions) {
    this.maxSteps = given.maxSteps;
    this.keptCheckpoints = given.saveTotalLimit + (given.metricForBestModel === undefined ? 0 : 1);
    this.#options = given;
  }

  objective(): Objective {
    const { labelSmoothingFactor: labelSmoothing, mlmProbability } = this.#options;
    return maskedObjective({ labelSmoothing, mlmProbability });
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
    return beginLoop(context, { options: this.#options, objective: this.objective() });
  }
}
