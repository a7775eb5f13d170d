import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { checkpointsFolder, isRecord, manifestFile, verifyCheckpoint } from "./checkpoint-files.ts";
import { removeOldCheckpoints } from "./checkpoint-retention.ts";
import { disk } from "./file-system.ts";
import { openRunDirectory } from "./run-directory.ts";
import { lockRunDirectory } from "./run-lock.ts";

/** What lies in a run's folder of checkpoints. */
export interface InventoryEntry {
  /** Relative to the run directory, with `/`. */
  readonly path: string;
  readonly step: number;
  /** `staging`: what a save that died left, or one that is going on; `set aside`: damaged, and passed over by `--fallback`. */
  readonly kind: "checkpoint" | "set aside" | "staging";
  /** Of all its files. */
  readonly bytes: number;
  /** ISO 8601: when its manifest was written. */
  readonly saved?: string;
  /** Where it was the best so far: by what, and its value. */
  readonly best?: { readonly metric: string; readonly value: unknown };
}

export interface VerifiedEntry extends InventoryEntry {
  /** What is wrong with it; undefined when every byte is what was written. */
  readonly problem?: string;
}

/**
 * Everything in a run's folder of checkpoints, newest first; nothing is verified.
 *
 * @throws {RunDirectoryError} when the folder is no run.
 */
export async function listInventory(run: string): Promise<readonly InventoryEntry[]> {
  const { path: directory } = await openRunDirectory(run);
  const folder = join(directory, checkpointsFolder);
  const entries: InventoryEntry[] = [];
  for (const name of await disk.list(folder)) {
    const match = /^(\.?)step-(\d+)(\..*)?$/.exec(name);
    if (match === null) continue;
    const [, hidden, step, suffix] = match;
    const kind = hidden === "." ? "staging" : suffix === undefined ? "checkpoint" : "set aside";
    const entry = { path: `${checkpointsFolder}/${name}`, step: Number(step), kind } as const;
    const bytes = await folderBytes(join(folder, name));
    entries.push({ ...entry, bytes, ...(await readSummary(join(folder, name))) });
  }
  return entries.sort((a, b) => b.step - a.step || a.path.localeCompare(b.path));
}

/** The same, with every byte of every checkpoint compared with its manifest. */
export async function verifyInventory(run: string): Promise<readonly VerifiedEntry[]> {
  const { path: directory } = await openRunDirectory(run);
  const verified: VerifiedEntry[] = [];
  for (const entry of await listInventory(run)) {
    if (entry.kind !== "checkpoint") continue;
    const problem = await verifyCheckpoint(join(directory, entry.path)).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    verified.push(problem === undefined ? entry : { ...entry, problem });
  }
  return verified;
}

/**
 * Removes all but the newest `keep` checkpoints and that of the best evaluation, what was set aside, and what saves that died
 * have left. It holds the run directory meanwhile, so that nothing is taken from a run that trains.
 *
 * @returns What was removed.
 * @throws {RunDirectoryError} `RUN_DIRECTORY_LOCKED` while another process works on it.
 */
export async function pruneCheckpoints(run: string, keep: number): Promise<readonly InventoryEntry[]> {
  const { path: directory } = await openRunDirectory(run);
  const lock = await lockRunDirectory(directory);
  try {
    const before = await listInventory(directory);
    const newest = before.find(({ kind }) => kind === "checkpoint");
    const folder = join(directory, checkpointsFolder);
    for (const { path, kind } of before) if (kind === "set aside") await disk.remove(join(directory, path));
    if (newest !== undefined)
      await removeOldCheckpoints(
        disk,
        folder,
        newest.path.slice(checkpointsFolder.length + 1),
        Math.max(1, keep),
      );
    const after = new Set((await listInventory(directory)).map(({ path }) => path));
    return before.filter(({ path }) => !after.has(path));
  } finally {
    await lock.release();
  }
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => []))
    bytes += (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0;
  return bytes;
}

async function readSummary(folder: string): Promise<Pick<InventoryEntry, "saved" | "best">> {
  try {
    const path = join(folder, manifestFile);
    const manifest: unknown = JSON.parse(await readFile(path, "utf8"));
    const saved = (await stat(path)).mtime.toISOString();
    const best = isRecord(manifest) && isRecord(manifest.state) ? manifest.state.best : undefined;
    if (!isRecord(best) || typeof best.metric !== "string") return { saved };
    return { saved, best: { metric: best.metric, value: best.value } };
  } catch {
    return {};
  }
}
