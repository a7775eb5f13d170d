import { statfs } from "node:fs/promises";
import type { Model } from "../models/index.ts";
import type { HostTensor } from "../runtime/index.ts";
import type { DiskUse, Trainer } from "../trainers/index.ts";
import { CheckpointError, checkpointSize, listCheckpoints, megabytes } from "./checkpoint.ts";
import { displayPath } from "./problems.ts";

/** What a trainer is taken to keep that does not say: the two states of AdamW beside each parameter. */
const SUPPOSED = ["momentum", "variance"];

/** A tensor of which only the shape counts. */
function tensorOf(shape: readonly number[]): HostTensor {
  return { dtype: "float32", shape, data: new Float32Array(0) };
}

/** Bytes of a checkpoint's tensors, as its files will have them. */
function checkpointBytes(model: Model, trainer: Trainer): number {
  const shapes = model.parameters().map(({ name, dims }) => [name, dims] as const);
  const kept =
    trainer.optimizerShapes?.(model) ??
    new Map(SUPPOSED.flatMap((slot) => shapes.map(([name, dims]) => [`${slot}/${name}`, dims] as const)));
  const tensors = (all: Iterable<readonly [string, readonly number[]]>) =>
    new Map([...all].map(([name, shape]) => [name, tensorOf(shape)]));
  return checkpointSize({ parameters: tensors(shapes), optimizer: tensors(kept) });
}

/** Bytes that the checkpoints of a run take on disk at most: as many as are kept, and the one being written. */
export function estimateRunBytes(model: Model, trainer: Trainer): number {
  return ((trainer.keptCheckpoints ?? 2) + 1) * checkpointBytes(model, trainer);
}

/**
 * What the checkpoints of a run take: as many as are kept, and the one being written. Refuses when the disk could not take those
 * that are still to come: better said before the hours of training than after.
 *
 * @throws {CheckpointError} `CHECKPOINT_SAVE`, with both numbers.
 */
export async function requireRunRoom(directory: string, model: Model, trainer: Trainer): Promise<DiskUse> {
  const { keptCheckpoints = 2 } = trainer;
  const checkpoint = checkpointBytes(model, trainer);
  const there = Math.min((await listCheckpoints(directory)).length, keptCheckpoints);
  const use = { checkpoint, kept: keptCheckpoints, needed: checkpoint * (keptCheckpoints + 1 - there) };
  let room: number;
  try {
    const { bavail, bsize } = await statfs(directory);
    room = bavail * bsize;
  } catch {
    // Some file systems do not say; then writing will tell.
    return use;
  }
  if (use.needed > room)
    throw new CheckpointError(
      "CHECKPOINT_SAVE",
      `the run keeps ${keptCheckpoints} checkpoints of ${megabytes(checkpoint)} and writes one more beside them, ${megabytes(use.needed)} to come, but the disk of ${displayPath(directory)} has room for ${megabytes(room)}. ` +
        "Free some space, keep fewer (saveTotalLimit), or use a run directory on another disk (--out)",
    );
  return use;
}
