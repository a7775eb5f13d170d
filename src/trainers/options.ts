import { z } from "zod";
import { checkOptimizer, completeOptimizer, optimizerFields } from "./optimizer-options.ts";
import { checkSchedule, completeSchedule, scheduleFields } from "./schedule-options.ts";

const count = z.int().positive();
const fraction = z.number().min(0).lt(1);

/** Options that every trainer has, by Hugging Face's names. */
export const commonFields = {
  maxSteps: count.optional().describe("Optimizer updates to do. Give this or numTrainEpochs."),
  numTrainEpochs: z
    .number()
    .positive()
    .optional()
    .describe("Passes over the training data to do, instead of maxSteps; 0.5 is half a pass."),
  batchSize: count.default(16).describe("Sequences of one forward pass."),
  gradientAccumulationSteps: count.default(1).describe("Forward passes of one update."),
  sequenceLength: count
    .optional()
    .describe("Tokens of a sequence. Default: the model's maxPositionEmbeddings."),
  groupByLength: z
    .boolean()
    .default(false)
    .describe(
      "Whether examples of similar length are put into one batch, which saves padding (and so time) where lengths differ.",
    ),
  ...optimizerFields,
  ...scheduleFields,
  maxGradNorm: z.number().min(0).default(1).describe("Largest global norm of the gradient; 0: any."),
  gradientCheckpointing: z
    .boolean()
    .default(false)
    .describe(
      "Computes what is inside layers again in the backward pass instead of keeping it: less memory, more time.",
    ),
  labelSmoothingFactor: fraction
    .default(0)
    .describe("Share of the target that is spread evenly over all classes, in training."),
  evalSteps: count
    .optional()
    .describe("Updates between evaluations on the validation split. Default: a tenth of all."),
  metricForBestModel: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Keep the checkpoint of the evaluation with the best of this: "loss", a metric, or one of its values ("f1.macro"). It is what evaluate and generate then use.',
    ),
  greaterIsBetter: z
    .boolean()
    .optional()
    .describe(
      "Whether a larger value is a better one. Default: unless it is a loss, perplexity or error rate.",
    ),
  earlyStoppingPatience: count
    .optional()
    .describe("End after this many evaluations without a better one. It needs metricForBestModel."),
  earlyStoppingThreshold: z
    .number()
    .min(0)
    .default(0)
    .describe("What an evaluation must be better by to count as better."),
  freeze: z
    .array(z.string().min(1))
    .default([])
    .describe('Parameters that are not trained, by name; "*" stands for anything ("bert.embeddings.*").'),
  learningRates: z
    .record(z.string().min(1), z.number().positive())
    .default({})
    .describe(
      'Shares of the learning rate by name of parameters: { "bert.*": 0.1 }. The last that fits holds.',
    ),
  weightDecays: z
    .record(z.string().min(1), z.number().min(0))
    .default({})
    .describe(
      'Weight decay by name of parameters: { "*.wte.*": 0 }; of vectors, too. The last that fits holds.',
    ),
  layerwiseLearningRateDecay: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe(
      "Factor of the learning rate from each layer to the one below it, embeddings last (1: all alike).",
    ),
};

const commonSchema = z.strictObject(commonFields);
export type CommonOptions = z.output<typeof commonSchema>;

/** What the options of one trainer cannot say alone. */
export function checkCommon(given: CommonOptions, context: z.RefinementCtx): void {
  checkOptimizer(given, context);
  if (given.maxSteps === undefined && given.numTrainEpochs === undefined)
    context.addIssue({
      code: "custom",
      path: ["maxSteps"],
      message: "expected a number of updates to do (or, as numTrainEpochs, of passes over the data)",
    });
  if (given.maxSteps !== undefined && given.numTrainEpochs !== undefined)
    context.addIssue({
      code: "custom",
      path: ["numTrainEpochs"],
      message: "maxSteps says how long to train already; give one of both",
    });
  // How many updates the passes over the data are is not known yet.
  checkSchedule({ ...given, maxSteps: given.maxSteps ?? Number.POSITIVE_INFINITY }, context);
  if (given.earlyStoppingPatience !== undefined && given.metricForBestModel === undefined)
    context.addIssue({
      code: "custom",
      path: ["earlyStoppingPatience"],
      message: 'needs metricForBestModel ("loss", for example)',
    });
}

/** Fills in what follows from other options; a run's own file then shows all of them, in the order of the reference. */
export function completeCommon<Options extends CommonOptions>(given: Options) {
  const { maxSteps, evalSteps = maxSteps && evalStepsFor(maxSteps) } = given;
  const { warmupRatio, ...rest } = given;
  const complete = {
    ...rest,
    ...completeOptimizer(given),
    // `warmupRatio` becomes `warmupSteps` as soon as the number of updates is known.
    ...(maxSteps === undefined
      ? warmupRatio !== undefined && { warmupRatio }
      : completeSchedule({ ...given, maxSteps })),
    evalSteps,
  };
  const order = Object.keys({ ...commonFields, ...complete });
  const place = ([name]: readonly [string, unknown]) => order.indexOf(name);
  return Object.fromEntries(
    Object.entries(complete).sort((a, b) => place(a) - place(b)),
  ) as unknown as Options & ReturnType<typeof completeOptimizer> & { readonly evalSteps: number | undefined };
}

/** Updates between evaluations where the options do not say. */
export function evalStepsFor(maxSteps: number): number {
  return Math.ceil(maxSteps / 10);
}

/** The options of every trainer, with all that follows filled in. */
export type CompleteOptions = ReturnType<typeof completeCommon<CommonOptions>>;
