import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Checkpoint, WarningEvent } from "../trainers/index.ts";
import {
  CheckpointError,
  type CheckpointManifest,
  type CheckpointRun,
  checkpointFiles,
  checkpointFormat,
  checkpointName,
  checkpointsFolder,
  damaged,
  manifestFile,
  sha256,
  verifyCheckpoint,
} from "./checkpoint-files.ts";
import { removeOldCheckpoints } from "./checkpoint-retention.ts";
import { blockBytes, compareFile } from "./direct-file.ts";
import { Crc32, type FileDigest } from "./file-digest.ts";
import { disk, errorCode, type FileSystem, remedy, writeDurably } from "./file-system.ts";
import { plainJsonProblem } from "./plain-json.ts";
import { safetensorsChunks, safetensorsSize } from "./safetensors.ts";

export interface SaveOptions {
  /** The model's `config.json`, saved beside its weights. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Checkpoints to keep, this one included; older ones are removed once it is safe. Default 2. */
  readonly keep?: number;
  /** What was trained, for whoever goes on from it. */
  readonly run?: CheckpointRun;
  /** Called before the checkpoint becomes visible: flushes what it counts on (`metrics.ndjson`). */
  readonly flush?: () => Promise<void>;
  /** Told what went wrong but did not prevent the save. */
  readonly onWarning?: (warning: WarningEvent) => void;
  readonly files?: FileSystem;
}

/** Errors that a second attempt cannot mend. */
const lasting = new Set([
  "ENOSPC",
  "EDQUOT",
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOTDIR",
  "EMFILE",
  "ENFILE",
  "SAFETENSORS",
]);

/**
 * Writes `checkpoints/step-000500/` whole or not at all, and gives its path relative to the run directory.
 *
 * The folder is staged under a hidden name on the same file system, every file flushed, the manifest with sizes and
 * digests last; the folder is flushed, read back, renamed, and its parent flushed. A reader therefore sees the old
 * checkpoint or the new one. After a failed flush the kernel may report the next one as a success although the data is
 * gone, so nothing of a failed staging is used again: it is thrown away and everything written once more from memory.
 *
 * @throws {CheckpointError} `CHECKPOINT_SAVE`, saying what to do; the checkpoints before it are untouched.
 */
export async function saveCheckpoint(
  runDirectory: string,
  checkpoint: Checkpoint,
  options: SaveOptions,
): Promise<string> {
  const files = options.files ?? disk;
  const folder = join(runDirectory, checkpointsFolder);
  const name = checkpointName(checkpoint.step);
  for (const part of [{ state: checkpoint.state }, { config: options.config }, { run: options.run }]) {
    const problem = plainJsonProblem(part);
    if (problem !== undefined)
      throw new CheckpointError(
        "CHECKPOINT_SAVE",
        `a checkpoint's ${problem}; only plain JSON data can be restored exactly`,
      );
  }

  try {
    await files.mkdir(folder);
    await files.syncFolder(runDirectory);
    await requireRoom(folder, checkpointSize(checkpoint), files);
    try {
      await saveOnce(files, folder, name, checkpoint, options);
    } catch (error) {
      if (lasting.has(errorCode(error) ?? "")) throw error;
      options.onWarning?.({
        type: "warning",
        code: "CHECKPOINT_RETRY",
        message: `writing ${checkpointsFolder}/${name} failed (${reason(error)}); it is written again from memory. Check the disk`,
      });
      await saveOnce(files, folder, name, checkpoint, options);
    }
  } catch (cause) {
    if (cause instanceof CheckpointError && cause.code === "CHECKPOINT_SAVE") throw cause;
    throw new CheckpointError(
      "CHECKPOINT_SAVE",
      `cannot save ${join(folder, name)}: ${remedy(cause)}. Earlier checkpoints are untouched`,
      { cause },
    );
  }

  try {
    await removeOldCheckpoints(files, folder, name, Math.max(1, options.keep ?? 2));
  } catch (error) {
    // The checkpoint is safe; old ones that linger only cost space.
    options.onWarning?.({
      type: "warning",
      code: "CHECKPOINT_TIDY",
      message: `old checkpoints in ${folder} could not be removed: ${reason(error)}`,
    });
  }
  return `${checkpointsFolder}/${name}`;
}

/** The same entry of metadata that PyTorch's tools write and ask for. */
const metadata = { format: "pt" };

/** Bytes that a checkpoint takes on disk, nearly: the tensors' files exactly, the JSON files not counted. */
export function checkpointSize({
  parameters,
  optimizer,
}: Pick<Checkpoint, "parameters" | "optimizer">): number {
  return safetensorsSize(parameters, metadata, blockBytes) + safetensorsSize(optimizer, metadata, blockBytes);
}

/**
 * Refuses when `folder`'s disk could not take this many bytes: better said before the hours of training than after.
 *
 * @throws {CheckpointError} `CHECKPOINT_SAVE`, with both numbers.
 */
export async function requireRoom(folder: string, bytes: number, files: FileSystem = disk): Promise<void> {
  let room: number;
  try {
    room = await files.room(folder);
  } catch {
    // Some file systems do not say; then writing will tell.
    return;
  }
  if (bytes > room)
    throw new CheckpointError(
      "CHECKPOINT_SAVE",
      `a checkpoint takes ${megabytes(bytes)}, but the disk of ${folder} has room for ${megabytes(room)}. Free some space, or use a run directory on another disk (--out)`,
    );
}

async function saveOnce(
  files: FileSystem,
  folder: string,
  name: string,
  checkpoint: Checkpoint,
  options: SaveOptions,
): Promise<void> {
  const staging = join(folder, `.${name}.staging-${randomUUID().slice(0, 8)}`);
  try {
    await compareStaging(staging, await writeStaging(files, staging, checkpoint, options));
    await putInPlace(files, folder, name, staging);
  } catch (error) {
    // What cannot be removed now, the next save tidies away.
    await files.remove(staging).catch(() => {});
    throw error;
  }
}

/** A file's name, and its bytes as often as they are asked for. */
type Content = readonly [name: string, chunks: () => Iterable<Uint8Array>];

/** Writes every file, and gives what was written. */
async function writeStaging(
  files: FileSystem,
  staging: string,
  { step, parameters, optimizer, state }: Checkpoint,
  { config, run, flush }: SaveOptions,
): Promise<readonly Content[]> {
  await files.mkdir(staging);
  const contents: readonly Content[] = [
    [checkpointFiles.model, () => safetensorsChunks(parameters, metadata, blockBytes)],
    [checkpointFiles.optimizer, () => safetensorsChunks(optimizer, metadata, blockBytes)],
    [checkpointFiles.config, () => [json(config)]],
  ];
  const digests: Record<string, FileDigest> = {};
  for (const [file, chunks] of contents) {
    const digest = new Digest();
    await writeDurably(files, join(staging, file), digest.through(chunks()));
    digests[file] = digest.result();
  }
  const manifest: CheckpointManifest = {
    format: checkpointFormat,
    step,
    state,
    stateSha256: sha256(JSON.stringify(state)),
    files: digests,
    ...(run && { run, runSha256: sha256(JSON.stringify(run)) }),
  };
  await flush?.();
  await writeDurably(files, join(staging, manifestFile), [json(manifest)]);
  await files.syncFolder(staging);
  return [...contents, [manifestFile, () => [json(manifest)]]];
}

/** Reads every file back. @throws CheckpointError `CHECKPOINT_DAMAGED`, naming the file that is not what was written. */
async function compareStaging(staging: string, contents: readonly Content[]): Promise<void> {
  for (const [name, chunks] of contents)
    try {
      await compareFile(join(staging, name), chunks());
    } catch (cause) {
      throw damaged(staging, name, reason(cause), cause);
    }
}

/** Renames the staged folder to its name. A whole checkpoint already there stays readable until the new one is. */
async function putInPlace(files: FileSystem, folder: string, name: string, staging: string): Promise<void> {
  const target = join(folder, name);
  const replaced = join(folder, `.${name}.replaced`);
  const names = await files.list(folder);
  if (!names.includes(name)) {
    await files.rename(staging, target);
    await files.syncFolder(folder);
    return;
  }
  if (await isWhole(target)) {
    await files.remove(replaced);
    await files.rename(target, replaced);
  } else {
    await files.remove(target);
  }
  try {
    await files.rename(staging, target);
  } catch (error) {
    // Should this fail too, readers find the stand-in under its own name.
    if (await isWhole(replaced)) await files.rename(replaced, target).catch(() => {});
    throw error;
  }
  await files.syncFolder(folder);
}

async function isWhole(folder: string): Promise<boolean> {
  try {
    await verifyCheckpoint(folder);
    return true;
  } catch {
    return false;
  }
}

/** Counts and digests bytes on their way to the disk. */
class Digest {
  readonly #digester = new Crc32();
  #size = 0;

  *through(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
    for (const chunk of chunks) {
      this.#digester.update(chunk);
      this.#size += chunk.length;
      yield chunk;
    }
  }

  result(): FileDigest {
    return { size: this.#size, crc32: this.#digester.hex() };
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`, "utf8");
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}
