import { z } from "zod";
import type { Model } from "../models/index.ts";
import { beginLoop } from "./begin-loop.ts";
import { classificationObjective } from "./classification-objective.ts";
import { TrainingError } from "./errors.ts";
import type { TrainingEvent } from "./events.ts";
import { defineTrainer, type Trainer, type TrainingContext, type TrainingPlan } from "./index.ts";
import type { Objective } from "./objective.ts";
import { optimizerShapes } from "./optimizer-state.ts";
import { checkCommon, commonFields, completeCommon } from "./options.ts";
import { prepareTraining } from "./preparation.ts";
import type { TrainingTrial } from "./trial.ts";

const fields = z.strictObject({
  ...commonFields,
  problemType: z
    .enum(["single_label_classification", "multi_label_classification"])
    .default("single_label_classification")
    .describe("Whether a text has exactly one class, or any number of them."),
  classWeights: z
    .record(z.string(), z.number().positive())
    .default({})
    .describe("What an example of a class weighs in the loss: { spam: 2 }. Others weigh 1."),
  mistakes: z
    .int()
    .min(0)
    .default(3)
    .describe("How many of the hardest mistakes on the validation split to show at the end."),
});

const options = fields.superRefine(checkCommon).transform(completeCommon);

type ClassificationTrainerOptions = z.output<typeof options>;

/**
 * Trains a classifier of texts, or of pairs of texts. The loss is the cross-entropy of the classes; where they do not exclude each
 * other (`problemType: multi_label_classification`), binary cross-entropy a class. At the end it shows the hardest mistakes on
 * the validation split. Optimizer and schedule are those of `causal_lm`.
 */
export const sequenceClassification = defineTrainer({
  description: "Which class a text belongs to, or which classes where they do not exclude each other.",
  options,
  create: (given) => new SequenceClassificationTrainer(given),
});

class SequenceClassificationTrainer implements Trainer {
  readonly task = "sequence_classification";
  readonly maxSteps: number | undefined;
  readonly resumes = true;
  readonly keptCheckpoints: number;
  readonly #options: ClassificationTrainerOptions;

  constructor(given: ClassificationTrainerOptions) {
    this.maxSteps = given.maxSteps;
    this.keptCheckpoints = given.saveTotalLimit + (given.metricForBestModel === undefined ? 0 : 1);
    this.#options = given;
  }

  objective({ labels }: Model): Objective {
    const { classWeights, problemType, labelSmoothingFactor: labelSmoothing } = this.#options;
    if (labels === undefined)
      throw new TrainingError(
        "NO_LABELS",
        "The model has no `labels`: a classifier needs the names of its classes.",
      );
    const stray = Object.keys(classWeights).find((name) => !labels.includes(name));
    if (stray !== undefined)
      throw new TrainingError(
        "NO_SUCH_CLASS",
        `classWeights names ${JSON.stringify(stray)}, which is none of the classes ${labels.join(", ")}.`,
      );
    const multiLabel = problemType === "multi_label_classification";
    return classificationObjective({ labels, multiLabel, classWeights, labelSmoothing });
  }

  optimizerShapes(model: Model): ReadonlyMap<string, readonly number[]> {
    return optimizerShapes(model, this.#options);
  }

  prepare(context: TrainingContext): Promise<TrainingPlan> {
    return prepareTraining(context, this.#options, this.objective(context.model));
  }

  async trial(context: TrainingContext): Promise<TrainingTrial> {
    const { trialRun } = await import("./trial.ts");
    return trialRun(context, { options: this.#options, objective: this.objective(context.model) });
  }

  train(context: TrainingContext): AsyncGenerator<TrainingEvent> {
    const { mistakes } = this.#options;
    return beginLoop(context, {
      options: this.#options,
      objective: this.objective(context.model),
      mistakes,
    });
  }
}
