import { mkdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { disk, errorCode, remedy, writeDurably } from "./file-system.ts";
import { displayPath } from "./problems.ts";
import {
  checkManifest,
  manifestName,
  RunDirectoryError,
  type RunManifest,
  writeManifest,
} from "./run-manifest.ts";

export { RunDirectoryError, type RunManifest } from "./run-manifest.ts";

export const runFileName = "run.yaml";
export const metricsName = "metrics.ndjson";
const tokenizerFolder = "tokenizer";

/** A run on disk. Paths are absolute. */
export interface RunDirectory {
  readonly path: string;
  readonly name: string;
  readonly manifest: RunManifest;
  /** `run.yaml` */
  readonly runFile: string;
  /** `metrics.ndjson` */
  readonly metrics: string;
}

/**
 * Opens the directory of a run.
 *
 * @throws {RunDirectoryError} `RUN_DIRECTORY_NONE` when it is none, `RUN_DIRECTORY_DAMAGED` when its manifest cannot be read.
 */
export async function openRunDirectory(path: string): Promise<RunDirectory> {
  const absolute = resolve(path);
  let text: string;
  try {
    text = await readFile(join(absolute, manifestName), "utf8");
  } catch (cause) {
    throw new RunDirectoryError("RUN_DIRECTORY_NONE", await explainMissing(absolute, cause), { cause });
  }
  let manifest: RunManifest;
  try {
    manifest = checkManifest(JSON.parse(text));
  } catch (cause) {
    throw new RunDirectoryError(
      "RUN_DIRECTORY_DAMAGED",
      `${displayPath(join(absolute, manifestName))} ${cause instanceof SyntaxError ? `is not valid JSON: ${cause.message}` : cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  return {
    path: absolute,
    name: manifest.name,
    manifest,
    runFile: join(absolute, runFileName),
    metrics: join(absolute, metricsName),
  };
}

/**
 * Adds what is known only after the data was read: its fingerprint, and the tokenizer that learned from it.
 *
 * @param tokenizer What the tokenizer's `save` gave; nothing for one that saves nothing.
 * @throws {RunDirectoryError} `RUN_DIRECTORY_CREATE`, saying what to do.
 */
export async function completeRunDirectory(
  directory: RunDirectory,
  fingerprint: string,
  tokenizer: Readonly<Record<string, string>> = {},
): Promise<RunDirectory> {
  const manifest: RunManifest = { ...directory.manifest, data: { fingerprint } };
  try {
    await writeTokenizer(join(directory.path, tokenizerFolder), tokenizer);
    await writeManifest(directory.path, manifest);
  } catch (cause) {
    if (cause instanceof RunDirectoryError) throw cause;
    throw new RunDirectoryError(
      "RUN_DIRECTORY_CREATE",
      `cannot write to the run directory ${displayPath(directory.path)}: ${remedy(cause)}`,
      { cause },
    );
  }
  return { ...directory, manifest };
}

async function writeTokenizer(folder: string, tokenizer: Readonly<Record<string, string>>): Promise<void> {
  const files = Object.entries(tokenizer);
  // Names come from a plugin, and are looked at before the first is written.
  for (const [file] of files)
    if (file !== basename(file) || ["", ".", ".."].includes(file) || file.includes("\\"))
      throw new RunDirectoryError(
        "RUN_DIRECTORY_CREATE",
        `the tokenizer's \`save\` gave a file called ${JSON.stringify(file)}; expected a plain name such as "tokenizer.json"`,
      );
  if (files.length === 0) return;
  await mkdir(folder);
  for (const [file, text] of files) await writeDurably(disk, join(folder, file), [Buffer.from(text)]);
  await disk.syncFolder(folder);
}

/** The files of the run's tokenizer, for its `load`. Empty for one that saves nothing. */
export async function readTokenizerFiles({ path }: RunDirectory): Promise<Record<string, string>> {
  const folder = join(path, tokenizerFolder);
  const files: Record<string, string> = {};
  for (const name of [...(await disk.list(folder))].sort())
    files[name] = await readFile(join(folder, name), "utf8");
  return files;
}

/** Removes what the tokenizer of a run that begins again had learned. */
export function removeTokenizerFiles({ path }: RunDirectory): Promise<void> {
  return disk.remove(join(path, tokenizerFolder));
}

async function explainMissing(path: string, cause: unknown): Promise<string> {
  const shown = displayPath(path);
  if (errorCode(cause) === "ENOTDIR") return `${shown} is a file, not a run directory`;
  if (errorCode(cause) !== "ENOENT") return `${shown} cannot be read as a run directory: ${remedy(cause)}`;
  const isThere = await stat(path).catch(() => undefined);
  if (isThere === undefined) return `there is no folder ${shown}`;
  const none = `${shown} is not a run directory: it has no ${manifestName}`;
  const above = await runAbove(path);
  if (above !== undefined) return `${none}. Give the run directory itself: ${displayPath(above)}`;
  const runs: string[] = [];
  for (const name of await disk.list(path)) if (await isRun(join(path, name))) runs.push(name);
  if (runs.length === 0) return `${none}. \`codex-ml train\` makes one`;
  const newest = runs
    .sort()
    .slice(-5)
    .map((name) => displayPath(join(path, name)));
  return `${none}. It holds runs; give one of them, for example ${newest.at(-1)}`;
}

async function runAbove(path: string): Promise<string | undefined> {
  for (const above of [dirname(path), dirname(dirname(path))]) if (await isRun(above)) return above;
  return undefined;
}

async function isRun(path: string): Promise<boolean> {
  return (await stat(join(path, manifestName)).catch(() => undefined))?.isFile() === true;
}
