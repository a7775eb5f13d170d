import { rename } from "node:fs/promises";
import { join } from "node:path";
import {
  type CheckpointCandidate,
  CheckpointError,
  listCheckpoints,
  readCheckpoint,
  type SavedCheckpoint,
} from "./checkpoint.ts";
import { errorCode } from "./file-system.ts";

/** What is added to the name of a checkpoint that was set aside. */
const damagedSuffix = ".damaged";

export interface ResumeCheckpoint extends CheckpointCandidate {
  readonly saved: SavedCheckpoint;
  /** Newer checkpoints that are damaged and were passed over. */
  readonly damaged: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * The checkpoint that a run goes on from: the newest one. Undefined when there is none.
 *
 * @param fallback Whether to take the one before, where the newest is damaged.
 * @throws {CheckpointError} `CHECKPOINT_DAMAGED` when the newest is damaged, naming it and the one before.
 */
export async function checkpointToGoOnFrom(
  runDirectory: string,
  fallback: boolean,
): Promise<ResumeCheckpoint | undefined> {
  const damaged: { path: string; reason: string }[] = [];
  for (const { step, path } of await listCheckpoints(runDirectory)) {
    let saved: SavedCheckpoint;
    try {
      saved = await readCheckpoint(join(runDirectory, path));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      damaged.push({ path, reason: error.message });
      continue;
    }
    if (damaged.length > 0 && !fallback)
      throw refused(damaged, `The one before it, ${path}, is whole: to go on from there, say --fallback`);
    return { step, path, saved, damaged };
  }
  if (damaged.length === 0) return undefined;
  throw refused(
    damaged,
    `No other one is whole. Restore one from a backup, or train again from ${join(runDirectory, "run.yaml")}`,
  );
}

function refused(damaged: ResumeCheckpoint["damaged"], advice: string): CheckpointError {
  const what = damaged.map(({ reason }) => reason).join("\n  ");
  return new CheckpointError("CHECKPOINT_DAMAGED", `the newest checkpoint is damaged:\n  ${what}\n${advice}`);
}

/** Renames damaged checkpoints, so that they count as none from now on; nothing is deleted. */
export async function setAside(
  runDirectory: string,
  { damaged }: ResumeCheckpoint,
): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const { path, reason } of damaged) {
    const from = join(runDirectory, path);
    let to = `${path}${damagedSuffix}`;
    for (let number = 2; (await attemptRename(from, join(runDirectory, to))) === "taken"; number++)
      to = `${path}${damagedSuffix}-${number}`;
    notes.push(`${reason}; it was set aside as ${to}`);
  }
  return notes;
}

async function attemptRename(from: string, to: string): Promise<"done" | "taken"> {
  try {
    await rename(from, to);
    return "done";
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST"].includes(errorCode(error) ?? "")) return "taken";
    throw error;
  }
}
