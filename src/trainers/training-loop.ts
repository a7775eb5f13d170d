import type { Split } from "../data-loaders/index.ts";
import { type Batch, type DataPosition, trainingBatches } from "./batching.ts";
import { BestEvaluation } from "./best-evaluation.ts";
import { DataWarnings } from "./data-warnings.ts";
import { TrainingError } from "./errors.ts";
import { Evaluator } from "./evaluation.ts";
import type { EndEvent, SampleEvent, TrainingEvent } from "./events.ts";
import type { TrainingContext } from "./index.ts";
import type { Objective } from "./objective.ts";
import { optimizerFor } from "./optimizer-options.ts";
import { type CompleteOptions, evalStepsFor } from "./options.ts";
import { parameterGroups } from "./parameter-groups.ts";
import { batchingOf, prepareTraining, surveyOf } from "./preparation.ts";
import { scheduleFor } from "./schedule-options.ts";
import { TrainingStep } from "./training-step.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** What a trainer adds to the loop that all share. */
export interface LoopPlan {
  readonly options: CompleteOptions;
  readonly objective: Objective;
  /** Text written along the way; called after an update. */
  readonly sample?: (step: TrainingStep) => Promise<SampleEvent | undefined>;
  /** Updates between samples; without it there is one, at the end. */
  readonly sampleSteps?: number | undefined;
  /** A classifier's hardest mistakes to tell at the end. Default 0. */
  readonly mistakes?: number;
}

/**
 * The loop of every built-in trainer: update, evaluate, sample, save. The next batches are prepared while a step runs.
 *
 * @throws TrainingError when training cannot go on; what was learned so far is saved first.
 */
export async function* trainingLoop(context: TrainingContext, plan: LoopPlan): AsyncGenerator<TrainingEvent> {
  const { model, data, metrics, signal } = context;
  const { options, objective } = plan;
  const { gradientAccumulationSteps } = options;
  const batching = batchingOf(context, options, objective);
  const { sequenceLength } = batching;
  const told = surveyOf(context);
  // Interrupted while the data is looked at: not even the number of updates is known.
  const maxSteps = options.maxSteps ?? (await prepareTraining(context, options, objective)).maxSteps ?? 1;
  const { evalSteps = evalStepsFor(maxSteps) } = options;
  // The first batches come first: data that cannot be trained on is told before a large model is drawn.
  const source = trainingBatches(batching);
  const nextUpdate = async () => {
    const parts = [];
    for (let index = 0; index < gradientAccumulationSteps; index++) parts.push((await source.next()).value);
    return parts;
  };
  let upcoming = nextUpdate();
  const first = await unlessAborted(upcoming, signal);
  const schedule = scheduleFor({ ...options, maxSteps });
  const step = newStep(context, plan, sequenceLength, first?.[0]?.batch);
  const split: Split | undefined = data.splits.includes("validation") ? "validation" : undefined;
  if (split === undefined && options.metricForBestModel !== undefined)
    throw new TrainingError(
      "NO_VALIDATION",
      "metricForBestModel needs a validation split, and the data has none.",
    );
  const evaluator = split && new Evaluator(model, metrics, batching, plan.mistakes);
  const best = new BestEvaluation(options);
  const warnings = new DataWarnings(sequenceLength);
  if (told !== undefined) warnings.told(told);

  let position: DataPosition = { epoch: 0, start: 0 };
  let saved = 0;
  const save = async (isBest?: { metric: string; value: number }): Promise<TrainingEvent> => {
    const state = { data: position, sequenceLength, ...(isBest && { best: isBest }) };
    const { step: at } = step;
    const path = await context.saveCheckpoint({ step: at, ...step.tensors(), state });
    saved = at;
    return { type: "checkpoint", step: at, path };
  };
  const evaluate = async function* (): AsyncGenerator<TrainingEvent> {
    if (evaluator === undefined || split === undefined) return;
    const evaluation = await evaluator.evaluate(split, step.weights, signal);
    yield { type: "evaluation", step: step.step, split, ...evaluation };
    yield* warnings.once(evaluator.warnings);
    const isBest = best.isBest(evaluation);
    if (isBest !== undefined) yield await save(isBest);
    if (evaluator.mistakes.length > 0 && (step.step === maxSteps || best.isOver))
      yield { type: "mistakes", step: step.step, split, mistakes: evaluator.mistakes };
  };
  let reason: EndEvent["reason"] | undefined;
  try {
    // The loader knows by now what it leaves out.
    if (first !== undefined) yield* warnings.once(data.notes?.() ?? []);
    while (step.step < maxSteps && reason === undefined) {
      const started = performance.now();
      const update = await unlessAborted(upcoming, signal);
      const last = update?.at(-1);
      if (update === undefined || last === undefined) break;
      const learningRate = schedule(step.step + 1);
      const batches = update.map(({ batch }) => batch);
      const tokens = batches.reduce((sum, { counted }) => sum + counted, 0);
      const running = step.run(batches, learningRate);
      // A failure to prepare waits until this step is done and told.
      if (step.step + 1 < maxSteps) {
        upcoming = nextUpdate();
        upcoming.catch(() => {});
      }
      const { loss, gradientNorm } = await running;
      position = last.position;
      const read = batches.reduce((sum, batch) => sum + (batch.tokens ?? batch.counted), 0);
      const tokensPerSecond = read / ((performance.now() - started) / 1000);
      yield* warnings.about(last.counts);
      yield* warnings.once(data.notes?.() ?? []);
      yield { type: "step", step: step.step, loss, learningRate, gradientNorm, tokens, tokensPerSecond };
      const isLast = step.step === maxSteps;
      if (isLast || step.step % evalSteps === 0) yield* unlessInterrupted(signal, evaluate());
      if (best.isOver && !isLast) reason = "earlyStopping";
      const { sample, sampleSteps } = plan;
      const isSampleDue =
        isLast || reason !== undefined || (sampleSteps !== undefined && step.step % sampleSteps === 0);
      if (sample && isSampleDue) yield* unlessInterrupted(signal, eventsOf(sample(step)));
    }
  } catch (error) {
    // What was learned so far is worth keeping, unless it is what broke. The first error is the one to tell.
    const isBroken = error instanceof TrainingError && error.code === "WEIGHTS_BROKEN";
    if (step.step > saved && !isBroken)
      yield* await save().then(
        (event) => [event],
        () => [],
      );
    throw error;
  } finally {
    // Not waited for: a loader that is stuck would keep us.
    source.return(undefined as never).catch(() => {});
  }
  if (step.step > saved) yield await save();
  yield {
    type: "end",
    step: step.step,
    reason: reason ?? (step.step === maxSteps ? "maxSteps" : "interrupted"),
  };
}

function newStep(
  { model, seed }: TrainingContext,
  { options, objective }: LoopPlan,
  sequenceLength: number,
  like: Batch | undefined,
): TrainingStep {
  const { batchSize, gradientAccumulationSteps, maxGradNorm, gradientCheckpointing } = options;
  return new TrainingStep({
    model,
    optimizer: optimizerFor(model, options),
    batchSize,
    sequenceLength,
    gradientAccumulationSteps,
    maxGradNorm,
    gradientCheckpointing,
    seed,
    objective,
    groupOf: parameterGroups(model, options),
    ...(like && { like }),
  });
}

async function* eventsOf(event: Promise<TrainingEvent | undefined>): AsyncGenerator<TrainingEvent> {
  const made = await event;
  if (made !== undefined) yield made;
}

/** Events that take their time, unless the signal aborts before or meanwhile: half an evaluation is none. */
async function* unlessInterrupted(
  signal: AbortSignal,
  events: AsyncGenerator<TrainingEvent>,
): AsyncGenerator<TrainingEvent> {
  if (signal.aborted) return;
  try {
    for await (const event of events) {
      if (signal.aborted) return;
      yield event;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
