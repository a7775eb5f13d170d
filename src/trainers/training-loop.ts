import type { Split } from "../data-loaders/index.ts";
import { type Batch, type DataPosition, trainingBatches } from "./batching.ts";
import { BestEvaluation } from "./best-evaluation.ts";
import { DataWarnings } from "./data-warnings.ts";
import { TrainingError } from "./errors.ts";
import { Evaluator } from "./evaluation.ts";
import type { EndEvent, SampleEvent, TrainingEvent } from "./events.ts";
import type { TrainingContext } from "./index.ts";
import { type LoopState, readLoopState } from "./loop-state.ts";
import type { Objective } from "./objective.ts";
import { optimizerFor } from "./optimizer-options.ts";
import { type CompleteOptions, evalStepsFor } from "./options.ts";
import { parameterGroups } from "./parameter-groups.ts";
import { batchingOf, prepareTraining, surveyOf } from "./preparation.ts";
import { Saves } from "./saves.ts";
import { scheduleFor } from "./schedule-options.ts";
import { StepClock } from "./step-clock.ts";
import { type StepResult, TrainingStep } from "./training-step.ts";
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
 * The loop of every built-in trainer: update, evaluate, sample, save. The next batches are prepared while a step runs, and
 * checkpoints are written while the next steps do. With `context.resume` it goes on from there, to the same events and bytes.
 *
 * @throws TrainingError when training cannot go on; what was learned so far is saved first.
 */
export async function* trainingLoop(context: TrainingContext, plan: LoopPlan): AsyncGenerator<TrainingEvent> {
  const { model, data, metrics, signal, resume, profiler } = context;
  const { options, objective } = plan;
  const { gradientAccumulationSteps } = options;
  const batching = batchingOf(context, options, objective);
  const { sequenceLength } = batching;
  const before = resume && readLoopState(resume.state);
  const told = surveyOf(context);
  const planned = options.maxSteps ?? (await prepareTraining(context, options, objective)).maxSteps;
  // Interrupted while the data is looked at: not even the number of updates is known.
  const maxSteps = planned ?? (resume?.step ?? 0) + 1;
  const { evalSteps = evalStepsFor(maxSteps) } = options;
  let position: DataPosition = before?.data ?? { epoch: 0, start: 0 };
  // The first batches come first: data that cannot be trained on is told before a large model is drawn.
  const source = trainingBatches(batching, position);
  const nextUpdate = async () => {
    const parts = [];
    for (let index = 0; index < gradientAccumulationSteps; index++) parts.push((await source.next()).value);
    return parts;
  };
  let upcoming = nextUpdate();
  const first = await unlessAborted(upcoming, signal);
  const schedule = scheduleFor({ ...options, maxSteps });
  const step = newStep(context, plan, sequenceLength, first?.[0]?.batch);
  if (resume !== undefined) step.restore(resume);
  const split: Split | undefined = data.splits.includes("validation") ? "validation" : undefined;
  if (split === undefined && options.metricForBestModel !== undefined)
    throw new TrainingError(
      "NO_VALIDATION",
      "metricForBestModel needs a validation split, and the data has none.",
    );
  const evaluator = split && new Evaluator(model, metrics, batching, plan.mistakes, context.device);
  const best = new BestEvaluation(options, before?.evaluations);
  const warnings = new DataWarnings(sequenceLength, before?.said);
  if (told !== undefined) warnings.told(told);
  const saves = new Saves(context, options, step, resume?.step ?? 0);

  let skipped = before?.skipped ?? 0;
  let skippedInAll = before?.skippedInAll ?? 0;
  /** Whether the weights as they are now are the best so far. */
  let isBest = before?.best;
  /** What this step still has before it. */
  const due = before?.due ?? { evaluation: false, sample: false };
  const isLast = () => step.step >= maxSteps;
  const state = (scheduled: boolean): LoopState => ({
    data: position,
    sequenceLength,
    ...(isBest && { best: isBest }),
    evaluations: best.state,
    said: [...warnings.said],
    due: { ...due },
    skipped,
    ...(skippedInAll > 0 && { skippedInAll }),
    scheduled: scheduled && !due.evaluation && !due.sample,
  });
  let reason: EndEvent["reason"] | undefined;
  const clock = new StepClock();

  const evaluate = async function* (): AsyncGenerator<TrainingEvent> {
    if (evaluator === undefined || split === undefined) return;
    const evaluation = await clock.time("evaluation", () =>
      unlessInterrupted(signal, () => evaluator.evaluate(split, step.weights, signal)),
    );
    if (evaluation === undefined) return;
    isBest = best.isBest(evaluation);
    due.evaluation = false;
    yield { type: "evaluation", step: step.step, split, ...evaluation };
    yield* warnings.once(evaluator.warnings);
    if (evaluator.mistakes.length > 0 && (isLast() || best.isOver))
      yield { type: "mistakes", step: step.step, split, mistakes: evaluator.mistakes };
  };
  /** What is due after an update. An interruption leaves the rest to whoever resumes. */
  const afterUpdate = async function* (): AsyncGenerator<TrainingEvent> {
    const { sample } = plan;
    if (due.evaluation) yield* evaluate();
    if (best.isOver && !isLast()) reason = "earlyStopping";
    due.sample ||= sample !== undefined && reason !== undefined && !due.evaluation;
    if (due.sample && !due.evaluation && sample !== undefined) {
      const made = await clock.time("evaluation", () => unlessInterrupted(signal, () => sample(step)));
      // An interrupted text ends early.
      due.sample = signal.aborted;
      if (made !== undefined && !due.sample) yield made;
    }
    const isDue = saves.isDue || isBest !== undefined || isLast() || reason !== undefined;
    if (isDue) yield* saves.plan(state(true));
  };

  let ended = false;
  try {
    if (resume !== undefined && before?.scheduled === true)
      yield { type: "checkpoint", step: resume.step, path: resume.path };
    // The loader knows by now what it leaves out.
    if (first !== undefined) yield* warnings.once(data.notes?.() ?? []);
    if (due.evaluation || due.sample) yield* afterUpdate();
    else if (best.isOver && !isLast()) reason = "earlyStopping";
    while (!isLast() && reason === undefined) {
      const started = performance.now();
      const waited = unlessAborted(upcoming, signal);
      const update = await clock.time("data", () => profiler?.waiting(waited) ?? waited);
      const last = update?.at(-1);
      if (update === undefined || last === undefined) break;
      const learningRate = schedule(step.step + 1);
      const batches = update.map(({ batch }) => batch);
      const tokens = batches.reduce((sum, { counted }) => sum + counted, 0);
      const running = step.run(batches, learningRate);
      running.catch(() => {});
      // A failure to prepare waits until this step is done and told.
      const wanted = step.step + 1 < maxSteps ? nextUpdate() : undefined;
      wanted?.catch(() => {});
      upcoming = wanted ?? upcoming;
      const result = await finiteResult(running, saves);
      if ("broken" in result) {
        const error = explainBroken(result.broken, position, last.position);
        if (options.nonFiniteLoss === "stop" || ++skipped > MOST_SKIPPED) throw error;
        skippedInAll++;
        position = last.position;
        upcoming = wanted ?? nextUpdate();
        upcoming.catch(() => {});
        yield {
          type: "warning",
          code: "SKIPPED",
          message: `${error.message}\nThese batches are skipped; so far ${skippedInAll} ${skippedInAll === 1 ? "update was" : "updates were"}, ${skipped} of them in a row.`,
          numbers: { step: step.step + 1, skipped: skippedInAll, inARow: skipped },
        };
        continue;
      }
      position = last.position;
      skipped = 0;
      isBest = undefined;
      const { loss, gradientNorm } = result;
      const read = batches.reduce((sum, batch) => sum + (batch.tokens ?? batch.counted), 0);
      const tokensPerSecond = read / ((performance.now() - started) / 1000);
      yield* saves.news();
      yield* warnings.about(last.counts);
      yield* warnings.once(data.notes?.() ?? []);
      due.evaluation = split !== undefined && (isLast() || step.step % evalSteps === 0);
      const { sample, sampleSteps } = plan;
      const isSampled = isLast() || (sampleSteps !== undefined && step.step % sampleSteps === 0);
      due.sample = sample !== undefined && isSampled;
      const seconds = clock.take({ ...result.seconds, saving: saves.takeSeconds() });
      yield {
        type: "step",
        step: step.step,
        loss,
        learningRate,
        gradientNorm,
        tokens,
        tokensPerSecond,
        seconds,
      };
      await profiler?.settle();
      yield* afterUpdate();
    }
    if (saves.isUnsaved) yield* saves.plan(state(false));
    yield* saves.finish();
    ended = true;
  } catch (error) {
    // What was learned so far is worth keeping, unless it is what broke. The first error is the one to tell.
    const isBroken = error instanceof TrainingError && error.code === "WEIGHTS_BROKEN";
    yield* quietly(saves.finish());
    if (saves.isUnsaved && !isBroken) {
      yield* quietly(saves.plan(state(false)));
      yield* quietly(saves.finish());
    }
    ended = true;
    throw error;
  } finally {
    // Not waited for: a loader that is stuck would keep us.
    source.return(undefined as never).catch(() => {});
    // Nobody reads the events any more: there is no one to tell, but what was learned is still worth keeping.
    if (!ended) {
      for await (const _ of quietly(saves.finish()));
      if (saves.isUnsaved) for await (const _ of quietly(saves.plan(state(false))));
      for await (const _ of quietly(saves.finish()));
    }
  }
  // An interruption after the last update leaves something to do still.
  const isOver = !due.evaluation && !due.sample;
  const end = reason ?? (isLast() ? "maxSteps" : "interrupted");
  yield { type: "end", step: step.step, reason: isOver ? end : "interrupted" };
}

/** Updates in a row that may have no finite loss. */
const MOST_SKIPPED = 10;

/** Begins to write a planned checkpoint while an update runs, and gives what the update gave. */
async function finiteResult(
  running: Promise<StepResult>,
  saves: Saves,
): Promise<StepResult | { readonly broken: TrainingError }> {
  try {
    saves.begin();
  } catch (error) {
    // The update still reads and writes the memory that whoever comes next looks at.
    await running.catch(() => {});
    throw error;
  }
  try {
    return await running;
  } catch (error) {
    if (error instanceof TrainingError && error.code === "NOT_FINITE") return { broken: error };
    throw error;
  }
}

/** The same error, with the place of the data that brought it. */
function explainBroken(error: TrainingError, from: DataPosition, to: DataPosition): TrainingError {
  const isGrouped = from.batch !== undefined || to.batch !== undefined;
  const end = to.epoch === from.epoch ? `${to.start - 1}` : `${to.start - 1} of epoch ${to.epoch}`;
  const where = isGrouped
    ? `batch ${from.batch ?? 0} of the group of similar lengths that begins at the training example ${from.start} of epoch ${from.epoch}`
    : `the training examples ${from.start} to ${end} of epoch ${from.epoch}, in shuffled order from 0`;
  const shown = isGrouped || to.epoch !== from.epoch ? "" : ` --examples ${to.start - from.start}`;
  const look = `To look at them: codex-ml data inspect <run directory>/run.yaml --split train --epoch ${from.epoch} --start ${from.start}${shown}`;
  return new TrainingError(error.code, `${error.message} It came with ${where}.\n${look}`, { cause: error });
}

/** @param like The first batch. */
export function newStep(
  { model, seed, device, profiler, overfits = false }: TrainingContext,
  { options, objective }: Pick<LoopPlan, "options" | "objective">,
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
    dropout: !overfits,
    seed,
    objective,
    groupOf: parameterGroups(model, options),
    profiler,
    device,
    ...(like && { like }),
  });
}

/** What takes its time, unless the signal aborts before or meanwhile: then it is left for later, and half of it is nothing. */
async function unlessInterrupted<Result>(
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  if (signal.aborted) return undefined;
  try {
    return await work();
  } catch (error) {
    if (!signal.aborted) throw error;
    return undefined;
  }
}

async function* quietly(events: AsyncGenerator<TrainingEvent>): AsyncGenerator<TrainingEvent> {
  try {
    yield* events;
  } catch {
    // Another error is being told.
  }
}
