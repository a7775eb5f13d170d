import { trainingBatches } from "./batching.ts";
import { TrainingError } from "./errors.ts";
import type { TrainingContext } from "./index.ts";
import type { Objective } from "./objective.ts";
import type { CompleteOptions } from "./options.ts";
import { parameterGroups } from "./parameter-groups.ts";
import { batchingOf } from "./preparation.ts";
import { newStep } from "./training-loop.ts";
import type { StepBytes } from "./training-profiler.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** What training costs, measured before it begins. */
export interface TrainingTrial {
  /** Sequences and positions of the batch that was measured: where lengths differ, other batches are longer or shorter. */
  readonly batchSize: number;
  readonly sequenceLength: number;
  readonly gradientAccumulationSteps: number;
  /** Tokens that count in the loss of the first update. */
  readonly tokens: number;
  /** Of the first batch, in nats, with the weights as they are before training. */
  readonly loss: number;
  /** The loss of who gives every class (of a language model, every token) the same probability. */
  readonly guessLoss: number;
  /** Forward and backward passes that were measured. */
  readonly batches: number;
  /** Seconds of one of them (median), of what follows once an update, and of both as often as an update has them. */
  readonly seconds: { readonly batch: number; readonly update: number; readonly step: number };
  /** Of an update in products of matrices, in GFLOP, with what gradient checkpointing computes again. */
  readonly gigaflops: number;
  readonly memory: StepBytes;
  /** Parameters that are not trained. */
  readonly frozen: readonly string[];
}

/**
 * Builds everything that training needs and runs the first batch forward and backward a few times. Nothing is learned: weights
 * stay as they are, and nothing is saved.
 *
 * @throws TrainingError as training would at its first step; or `INTERRUPTED` when the signal aborts.
 */
export async function trialRun(
  context: TrainingContext,
  plan: { readonly options: CompleteOptions; readonly objective: Objective },
): Promise<TrainingTrial> {
  const { model, signal } = context;
  const { options, objective } = plan;
  const { batchSize, gradientAccumulationSteps } = options;
  const batching = batchingOf(context, options, objective);
  const source = trainingBatches(batching, { epoch: 0, start: 0 });
  const batches = [];
  for (let index = 0; index < gradientAccumulationSteps; index++) {
    const next = await unlessAborted(source.next(), signal);
    if (next === undefined) throw interrupted();
    batches.push(next.value.batch);
  }
  const [first] = batches;
  if (first === undefined) throw interrupted();
  const step = newStep(context, plan, batching.sequenceLength, first);
  const { loss, ...measured } = await step.trial(first, signal);
  if (!Number.isFinite(loss))
    throw new TrainingError(
      "NOT_FINITE",
      `The loss of the first batch is ${loss} before anything is learned: training would stop at its first step. Look at the weights that the model begins with, and at its forward().`,
    );
  const groupOf = parameterGroups(model, options);
  const sequenceLength = first.inputIds.length / batchSize;
  const classes = objective.logitsShape(model, batchSize, sequenceLength).shape.at(-1);
  return {
    batchSize,
    sequenceLength,
    gradientAccumulationSteps,
    tokens: batches.reduce((sum, { counted }) => sum + counted, 0),
    loss,
    guessLoss: objective.guessLoss ?? Math.log(Number(classes)),
    ...measured,
    seconds: {
      ...measured.seconds,
      step: gradientAccumulationSteps * measured.seconds.batch + measured.seconds.update,
    },
    gigaflops: gradientAccumulationSteps * measured.gigaflops,
    memory: step.memory(),
    frozen: model
      .parameters()
      .map(({ name }) => name)
      .filter((name) => groupOf(name).frozen),
  };
}

function interrupted(): TrainingError {
  return new TrainingError("INTERRUPTED", "Interrupted before anything was measured.");
}
