import { z } from "zod";
import type { DataPosition } from "./batching.ts";
import { bestState } from "./best-evaluation.ts";
import { TrainingError } from "./errors.ts";

const count = z.int().min(0);

/** A {@link DataPosition}, with whatever else the batching keeps in it. */
const positionSchema = z.looseObject({ epoch: count, start: count });

/** What a checkpoint of the shared loop has besides its tensors: everything that the updates and events after it depend on. */
const loopState = z.object({
  /** Where in the data the next update begins. */
  data: positionSchema,
  sequenceLength: count,
  /** Where this is the best model so far. */
  best: z
    .object({ metric: z.string(), value: z.union([z.number(), z.enum(["Infinity", "-Infinity"])]) })
    .optional(),
  evaluations: bestState,
  /** Warnings that are said once. */
  said: z.array(z.string()),
  /** What this step had before it when the checkpoint was taken: an interruption comes in between. */
  due: z.strictObject({ evaluation: z.boolean(), sample: z.boolean() }),
  /** Batches with a loss that is not finite, one after another up to here. */
  skipped: count,
  /** The same in all; nothing where there was none. */
  skippedInAll: count.optional(),
  /** Whether a run that nobody stopped saves it too. */
  scheduled: z.boolean(),
});

export type LoopState = Omit<z.output<typeof loopState>, "data"> & { readonly data: DataPosition };

/** @throws TrainingError when it is not what the loop saves. */
export function readLoopState(state: Readonly<Record<string, unknown>>): LoopState {
  const read = loopState.safeParse(state);
  if (read.success) return read.data as LoopState;
  const [issue] = read.error.issues;
  throw new TrainingError(
    "CHECKPOINT_MISMATCH",
    `The checkpoint's state is not what this trainer saves (${issue?.path.join(".")}: ${issue?.message}). Was it saved by another one?`,
  );
}
