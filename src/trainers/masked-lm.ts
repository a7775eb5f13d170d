import { z } from "zod";
import type { TrainingEvent } from "./events.ts";
import { defineTrainer, type Trainer, type TrainingContext } from "./index.ts";
import { maskedObjective } from "./masked-objective.ts";
import type { Objective } from "./objective.ts";
import { checkCommon, commonFields, completeCommon } from "./options.ts";
import { trainingLoop } from "./training-loop.ts";

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

/** Pretrains an encoder: hides tokens of a text and has the model guess them. */
export const maskedLm = defineTrainer({
  description: "Masked language modelling (Devlin et al. 2019), with masks drawn anew for every epoch.",
  options,
  create: (given) => new MaskedLmTrainer(given),
});

class MaskedLmTrainer implements Trainer {
  readonly task = "masked_lm";
  readonly maxSteps: number;
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

  train(context: TrainingContext): AsyncGenerator<TrainingEvent> {
    return trainingLoop(context, { options: this.#options, objective: this.objective() });
  }
}
