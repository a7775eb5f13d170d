import { z } from "zod";

const count = z.int().positive();
const fraction = z.number().min(0).lt(1);

/** Options that every trainer has, by Hugging Face's names. */
export const commonFields = {
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
  labelSmoothingFactor: fraction
    .default(0)
    .describe("Share of the target that is spread evenly over all classes, in training."),
  evalSteps: count
    .optional()
    .describe("Updates between evaluations on the validation split. Default: a tenth of maxSteps."),
  saveSteps: count
    .optional()
    .describe("Updates between checkpoints. Default: none by number; saveMinutes, and one at the end."),
  saveMinutes: z
    .number()
    .min(0)
    .default(10)
    .describe("Minutes between checkpoints, whatever the number of updates; 0: none by time."),
  saveTotalLimit: count
    .default(2)
    .describe("Checkpoints to keep, the newest; that of the best evaluation is kept besides."),
  nonFiniteLoss: z
    .enum(["stop", "skip"])
    .default("stop")
    .describe(
      "What to do when a loss or gradient is NaN or infinite: stop, with the weights from before; or skip the batches and go on (at most 10 times in a row).",
    ),
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
  if (given.earlyStoppingPatience !== undefined && given.metricForBestModel === undefined)
    context.addIssue({
      code: "custom",
      path: ["earlyStoppingPatience"],
      message: 'needs metricForBestModel ("loss", for example)',
    });
}

/** Fills in what follows from other options. */
export function completeCommon<Options extends Pick<CommonOptions, "maxSteps" | "evalSteps">>(
  given: Options,
) {
  return { ...given, evalSteps: given.evalSteps ?? Math.ceil(given.maxSteps / 10) };
}
