import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostTensor } from "../runtime/index.ts";
import type { Checkpoint } from "../trainers/index.ts";
import {
  CheckpointError,
  type CheckpointRun,
  checkpointFiles,
  checkpointsFolder,
  isBest,
  isRecord,
  readManifest,
  readVerified,
  verifyCheckpoint,
} from "./checkpoint-files.ts";
import { errorCode } from "./file-system.ts";
import { readSafetensors } from "./safetensors.ts";

export { CheckpointError, checkpointName, checkpointsFolder } from "./checkpoint-files.ts";
export {
  checkpointSize,
  megabytes,
  requireRoom,
  type SaveOptions,
  saveCheckpoint,
} from "./checkpoint-save.ts";

/** A checkpoint read back, with the configuration of the model that its weights belong to. */
export interface SavedCheckpoint extends Checkpoint {
  /** The model's `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What was trained; undefined in what a program saved without a run. */
  readonly run: CheckpointRun | undefined;
}

/** A folder that claims to be a checkpoint. */
export interface CheckpointCandidate {
  readonly step: number;
  /** Relative to the run directory, with `/`. */
  readonly path: string;
}

/** Which of a run's checkpoints is meant: the one that was best on the validation split, or the newest. */
export type CheckpointChoice = "best" | "last";

/** The newest checkpoint that verifies, and the newer ones that do not. */
export interface LatestCheckpoint extends CheckpointCandidate {
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Every folder that claims to be a checkpoint, newest first, unverified.
 *
 * `.step-000500.replaced` stands in for `step-000500` while that is being replaced: when the process dies between the
 * two renames of a replacement, it is the only whole copy.
 */
export async function listCheckpoints(runDirectory: string): Promise<readonly CheckpointCandidate[]> {
  let names: readonly string[];
  try {
    names = await readdir(join(runDirectory, checkpointsFolder));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
  const candidates: (CheckpointCandidate & { readonly standIn: boolean })[] = [];
  for (const name of names) {
    const match = /^(?:step-(\d+)|\.step-(\d+)\.replaced)$/.exec(name);
    if (match === null) continue;
    const standIn = match[2] !== undefined;
    candidates.push({ step: Number(match[1] ?? match[2]), path: `${checkpointsFolder}/${name}`, standIn });
  }
  candidates.sort((left, right) => right.step - left.step || Number(left.standIn) - Number(right.standIn));
  return candidates.map(({ step, path }) => ({ step, path }));
}

/**
 * The newest checkpoint whose every byte is what was written.
 *
 * @throws {CheckpointError} `CHECKPOINT_NONE` when nothing was saved yet, `CHECKPOINT_DAMAGED` when nothing verifies.
 */
export async function latestCheckpoint(runDirectory: string): Promise<LatestCheckpoint> {
  const candidates = await listCheckpoints(runDirectory);
  if (candidates.length === 0)
    throw new CheckpointError(
      "CHECKPOINT_NONE",
      `${runDirectory} has no checkpoint yet: the run still trains, or ended before it saved one. Train again from its run.yaml`,
    );
  const skipped: { path: string; reason: string }[] = [];
  for (const { step, path } of candidates) {
    try {
      await verifyCheckpoint(join(runDirectory, path));
      return { step, path, skipped };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      skipped.push({ path, reason: error.message });
    }
  }
  throw new CheckpointError(
    "CHECKPOINT_DAMAGED",
    `no checkpoint of ${runDirectory} is whole:\n${skipped.map(({ reason }) => `  ${reason}`).join("\n")}\nRestore one from a backup, or train again from ${join(runDirectory, "run.yaml")}`,
  );
}

/**
 * The checkpoint of the best evaluation, where the trainer was asked to keep it; else the newest.
 *
 * @param fallback Whether to take the one before, where the newest is damaged.
 * @throws {CheckpointError} as {@link latestCheckpoint}; also when the best one is damaged, which another would not replace,
 *   and without `fallback` when the newest is.
 */
export async function chosenCheckpoint(
  runDirectory: string,
  choice: CheckpointChoice = "best",
  fallback = false,
): Promise<LatestCheckpoint> {
  if (choice === "best")
    for (const { step, path } of await listCheckpoints(runDirectory)) {
      if (!(await isBest(join(runDirectory, path)))) continue;
      try {
        await verifyCheckpoint(join(runDirectory, path));
      } catch (cause) {
        if (!(cause instanceof CheckpointError)) throw cause;
        const advice = "the best checkpoint is damaged; to use the newest one, say --checkpoint last";
        throw new CheckpointError("CHECKPOINT_DAMAGED", `${cause.message}\n${advice}`, { cause });
      }
      return { step, path, skipped: [] };
    }
  const latest = await latestCheckpoint(runDirectory);
  if (latest.skipped.length === 0 || fallback) return latest;
  const what = latest.skipped.map(({ reason }) => reason).join("\n  ");
  throw new CheckpointError(
    "CHECKPOINT_DAMAGED",
    `the newest checkpoint is damaged:\n  ${what}\nThe one before it, ${latest.path}, is whole: to read that, say --fallback; where that cannot be said, move the damaged folder away`,
  );
}

/** What is to be said when a checkpoint is read because newer ones are damaged. */
export function skippedWarnings({ path, skipped }: LatestCheckpoint): readonly string[] {
  return skipped.map(({ reason }) => `${reason}. The one before it is read instead: ${path}`);
}

/**
 * Reads a checkpoint, after comparing every file with its manifest.
 *
 * @param folder The checkpoint's own folder.
 * @throws {CheckpointError} `CHECKPOINT_DAMAGED`, naming the file.
 */
export async function readCheckpoint(folder: string): Promise<SavedCheckpoint> {
  const manifest = await readManifest(folder);
  const { step, state, run } = manifest;
  const config = await readVerified(folder, checkpointFiles.config, manifest, async (path, inspect) => {
    const bytes = await readFile(path);
    inspect(bytes);
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    if (!isRecord(value)) throw new Error("is not a JSON object");
    return value;
  });
  const [parameters, optimizer] = await Promise.all(
    [checkpointFiles.model, checkpointFiles.optimizer].map(
      async (name) => (await readVerified(folder, name, manifest, readSafetensors)).tensors,
    ),
  );
  const none: ReadonlyMap<string, HostTensor> = new Map();
  return { step, parameters: parameters ?? none, optimizer: optimizer ?? none, state, config, run };
}
