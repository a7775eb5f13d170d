import { statfs } from "node:fs/promises";
import type { Model } from "../models/index.ts";
import type { Trainer } from "../trainers/index.ts";
import { CheckpointError, checkpointSize, listCheckpoints, megabytes } from "./checkpoint.ts";
import { displayPath } from "./problems.ts";

/** Optimizer states beside each parameter: those of AdamW. An estimate where a trainer has others. */
const STATES = 2;

/**
 * Bytes that the checkpoints of a run take on disk at most: as many as are kept, and the one being written. An estimate of what
 * the trainer keeps of its optimizer.
 */
export function estimateRunBytes(model: Model, { keptCheckpoints = 2 }: Trainer): number {
  const parameters = new Map(
    model
      .parameters()
      .map(({ name, dims }) => [name, { dtype: "float32" as const, shape: dims, data: new Float32Array(0) }]),
  );
  return (keptCheckpoints + 1) * (1 + STATES) * checkpointSize({ parameters, optimizer: new Map() });
}

/**
 * Refuses when the disk could not take all checkpoints that a run keeps at once: better said before the hours of training than
 * after. Those that lie there already are counted.
 *
 * @throws {CheckpointError} `CHECKPOINT_SAVE`, with both numbers.
 */
export async function requireRunRoom(directory: string, model: Model, trainer: Trainer): Promise<void> {
  const total = estimateRunBytes(model, trainer);
  const { keptCheckpoints = 2 } = trainer;
  const there = Math.min((await listCheckpoints(directory)).length, keptCheckpoints);
  const needed = total * (1 - there / (keptCheckpoints + 1));
  let room: number;
  try {
    const { bavail, bsize } = await statfs(directory);
    room = bavail * bsize;
  } catch {
    // Some file systems do not say; then writing will tell.
    return;
  }
  if (needed > room)
    throw new CheckpointError(
      "CHECKPOINT_SAVE",
      `the run keeps ${keptCheckpoints} checkpoints and writes one more beside them, about ${megabytes(needed)} to come, but the disk of ${displayPath(directory)} has room for ${megabytes(room)}. ` +
        "Free some space, keep fewer (saveTotalLimit), or use a run directory on another disk (--out)",
    );
}
