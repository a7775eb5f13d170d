import type { DataLoader } from "../data-loaders/index.ts";
import { TrainingError } from "../trainers/errors.ts";
import type { ComponentOrigin } from "../trainers/index.ts";
import { errorCode } from "./file-system.ts";

/** How far a run came before it failed. */
export interface Progress {
  /** Updates done. */
  readonly step: number;
  /** Its newest checkpoint, relative to the run directory. */
  readonly saved: string | undefined;
  /** The run directory, as the user would type it. */
  readonly directory: string;
  /** Whether it can go on from there. */
  readonly resumes: boolean;
}

/** What JavaScript, the C++ library and ONNX Runtime say when there is no memory. */
const noMemory = /allocation failed|bad_alloc|failed to allocate|out of memory|invalid typed array length/i;

const lessMemory =
  "There is not enough memory. Give a smaller batchSize, with more gradientAccumulationSteps for the same updates; a shorter sequenceLength; gradientCheckpointing: true; or optim: adafactor, which keeps the least";

/**
 * What went wrong in a training, with what it came from, at which step, and what is saved.
 *
 * @param trainer Blamed for what is nobody else's: errors of ours, of the data and of metrics have a code.
 */
export function explainFailure(
  error: unknown,
  trainer: ComponentOrigin | undefined,
  progress: Progress,
): unknown {
  const { step, saved, directory, resumes } = progress;
  const message = error instanceof Error ? error.message : String(error);
  const isFull = noMemory.test(message);
  const lines = [isFull ? `${message.trim()}\n${lessMemory}` : message];
  if (step > 0) {
    const kept = saved === undefined ? "nothing is saved" : `${saved} is saved`;
    const on =
      saved !== undefined && resumes
        ? `, and once it is mended, \`codex-ml resume ${directory}\` goes on from there`
        : "";
    lines.push(`It came after step ${step}; ${kept}${on}.`);
  }
  if (isFull) return new TrainingError("OUT_OF_MEMORY", lines.join("\n"), { cause: error });
  if (error instanceof Error && errorCode(error) !== undefined) {
    // The same error, so that its class and its stack stay.
    error.message = lines.join("\n");
    return error;
  }
  const blamed = trainer === undefined ? "The trainer" : `The trainer "${trainer.name}" (${trainer.origin})`;
  return new TrainingError("TRAINER_FAILED", `${blamed} failed: ${lines.join("\n")}`, { cause: error });
}

/** The same loader, whose failures say that they are its own; those with a code say it better themselves. */
export function blamedLoader(data: DataLoader, origin: ComponentOrigin | undefined): DataLoader {
  const blame = (cause: unknown): never => {
    if (errorCode(cause) !== undefined) throw cause;
    const name = origin === undefined ? "" : ` "${origin.name}" (${origin.origin})`;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TrainingError("DATA_LOADER_FAILED", `The data loader${name} failed: ${why}`, { cause });
  };
  const guarded = async function* <Item>(items: () => AsyncIterable<Item>): AsyncGenerator<Item> {
    try {
      yield* items();
    } catch (cause) {
      blame(cause);
    }
  };
  return {
    splits: data.splits,
    texts: (split) => guarded(() => data.texts(split)),
    examples: (split, request) => guarded(() => data.examples(split, request)),
    fingerprint: () => data.fingerprint().catch(blame),
    ...(data.labels && { labels: async () => (await data.labels?.()) ?? [] }),
    ...(data.notes && { notes: () => data.notes?.() ?? [] }),
  };
}
