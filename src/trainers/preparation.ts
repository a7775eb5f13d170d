import type { BatchOptions } from "./batching.ts";
import { type DataSurvey, SURVEYED, surveyTraining } from "./data-survey.ts";
import type { TrainingContext, TrainingPlan } from "./index.ts";
import { lengthBuckets } from "./length-buckets.ts";
import type { Objective } from "./objective.ts";
import type { CommonOptions, CompleteOptions } from "./options.ts";
import { validationWarnings, warmupWarnings } from "./sanity-warnings.ts";
import { sequenceLengthFor } from "./sequence-length.ts";
import { nothingToLearn } from "./training-rows.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** How the batches of a run are made. */
export function batchingOf(
  { model, data, tokenizer, seed, overfits = false }: TrainingContext,
  options: Pick<CommonOptions, "batchSize" | "sequenceLength" | "groupByLength">,
  objective: Objective,
): BatchOptions {
  const sequenceLength = sequenceLengthFor(model, options.sequenceLength);
  const { batchSize, groupByLength } = options;
  return {
    ...{ data, tokenizer, vocabSize: model.vocabSize, batchSize, sequenceLength, seed, objective },
    lengths: lengthBuckets(sequenceLength),
    // Groups are mixed.
    groupByLength: groupByLength && !overfits,
    repeats: overfits,
  };
}

const surveys = new WeakMap<TrainingContext, DataSurvey>();

/** What {@link prepareTraining} found for a run. */
export function surveyOf(context: TrainingContext): DataSurvey | undefined {
  return surveys.get(context);
}

/**
 * Looks at the data of a run before its first step, and counts its updates.
 *
 * @throws TrainingError when no label counts in what was looked at: there would be nothing to learn.
 */
export async function prepareTraining(
  context: TrainingContext,
  options: CompleteOptions,
  objective: Objective,
): Promise<TrainingPlan> {
  const batching = batchingOf(context, options, objective);
  const limit = options.maxSteps === undefined ? Number.POSITIVE_INFINITY : SURVEYED;
  const data = surveys.get(context) ?? (await unlessAborted(surveyTraining(batching, limit), context.signal));
  if (data === undefined) return options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps };
  surveys.set(context, data);
  const { examples, dropped, truncated } = data;
  if (dropped === examples) throw nothingToLearn(examples, truncated.examples, batching.sequenceLength);
  const maxSteps = options.maxSteps ?? updatesOf(options, examples - dropped);
  const warnings = context.overfits
    ? []
    : [...warmupWarnings(options, maxSteps), ...(await validationWarnings(batching))];
  return { maxSteps, data, warnings };
}

/**
 * Updates of `numTrainEpochs` passes over so many rows, as Hugging Face counts them: what is left at the end is an update,
 * too, which is filled up from the next pass.
 */
function updatesOf(
  { numTrainEpochs = 1, batchSize, gradientAccumulationSteps }: CommonOptions,
  rows: number,
): number {
  // In thousandths of a row, so that 0.1 × 30 is 3 and not one more.
  const thousandths = Math.round(numTrainEpochs * rows * 1000);
  return Math.ceil(thousandths / (1000 * batchSize * gradientAccumulationSteps));
}
