import { z } from "zod";
import type { TrainingEvent } from "./events.ts";
import { defineTrainer, type Trainer, type TrainingContext, type TrainingPlan } from "./index.ts";
import { maskedObjective } from "./masked-objective.ts";
import type { Objective } from "./objective.ts";
import { checkCommon, commonFields, completeCommon } from "./options.ts";
import { prepareTraining } from "./preparation.ts";
import { trainingLoop } from "./training-loop.ts";
import { type TrainingTrial, trialRun } from "./trial.ts";

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

  prepare(context: TrainingContext): Promise<TrainingPlan> {
    return prepareTraining(context, this.#options, this.objective());
  }

  trial(context: TrainingContext): Promise<TrainingTrial> {
    return trialRun(context, { options: this.#options, objective: this.objective() });
  }

  train(context: TrainingContext): AsyncGenerator<TrainingEvent> {
    return trainingLoop(context, { options: this.#options, objective: this.objective() });
  }
}
