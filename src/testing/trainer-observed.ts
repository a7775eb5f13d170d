import type { HostTensor } from "../runtime/index.ts";
import type { Checkpoint, Trainer, TrainingEvent } from "../trainers/index.ts";
import { broken } from "./check.ts";
import { digest, type Observation } from "./difference.ts";
import { type TrainingComponents, tinyTraining } from "./trainer-samples.ts";

/** A checkpoint as it was when it was saved: the trainer's own memory changes with its next update. */
export interface SavedCheckpoint {
  readonly step: number;
  readonly path: string;
  readonly parameters: ReadonlyMap<string, HostTensor>;
  readonly optimizer: ReadonlyMap<string, HostTensor>;
  readonly state: unknown;
  /** Events yielded before it was saved. */
  readonly after: number;
}

/** A training that went to its end. */
export interface TrainingRecord extends TrainingComponents {
  readonly events: readonly TrainingEvent[];
  readonly saved: readonly SavedCheckpoint[];
}

export interface TrainingRequest {
  readonly seed?: number;
  /** Aborts the signal when this step's event has come; 0: before training. */
  readonly abortAfter?: number;
  /** What another training saved, to go on from. */
  readonly resume?: SavedCheckpoint;
  readonly components?: () => TrainingComponents | Promise<TrainingComponents>;
}

/** Trains, and keeps what came of it. */
export async function recordTraining(
  trainer: Trainer,
  { seed = 1, abortAfter, resume, components = () => tinyTraining(trainer.task) }: TrainingRequest = {},
): Promise<TrainingRecord> {
  const given = await components();
  const events: TrainingEvent[] = [];
  const saved: SavedCheckpoint[] = [];
  const stop = new AbortController();
  if (abortAfter === 0) stop.abort();
  const stream = trainer.train({
    ...given,
    seed,
    signal: stop.signal,
    saveCheckpoint: async ({ step, parameters, optimizer, state }) => {
      const path = `checkpoints/step-${step}`;
      saved.push({
        ...{ step, path, parameters: copyOf(parameters), optimizer: copyOf(optimizer) },
        ...{ state: structuredClone(state), after: events.length },
      });
      return path;
    },
    ...(resume && { resume: { ...resume, state: resume.state as Checkpoint["state"] } }),
  });
  if (typeof stream?.[Symbol.asyncIterator] !== "function")
    broken("train() gave nothing that `for await` can go through; expected an async iterable of events.");
  for await (const event of stream) {
    events.push(event);
    if (event.type === "step" && event.step === abortAfter) stop.abort();
  }
  return { ...given, events, saved };
}

function copyOf(tensors: ReadonlyMap<string, HostTensor>): ReadonlyMap<string, HostTensor> {
  return new Map(
    [...tensors].map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape: [...shape], data: data.slice() },
    ]),
  );
}

/** Losses and saved weights: what equal trainings have in common. */
export async function observeTrainer(trainer: Trainer, request: TrainingRequest): Promise<Observation> {
  return observed(await recordTraining(trainer, request));
}

export function observed({ events, saved }: TrainingRecord): Observation {
  return {
    losses: events.flatMap((event) => (event.type === "step" ? [event.loss] : [])),
    weights: Object.fromEntries(
      [...(saved.at(-1)?.parameters ?? [])].map(([name, { data }]) => [name, digest(data)]),
    ),
  };
}
