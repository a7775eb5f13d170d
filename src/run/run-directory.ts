import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ComponentOrigin } from "../trainers/index.ts";
import { isRecord } from "./check-config.ts";
import { disk, errorCode, remedy } from "./file-system.ts";
import { displayPath } from "./problems.ts";

/** A run directory that cannot be made, or is none. */
export class RunDirectoryError extends Error {
  readonly code: "RUN_DIRECTORY_CREATE" | "RUN_DIRECTORY_NONE" | "RUN_DIRECTORY_DAMAGED";
  constructor(code: RunDirectoryError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RunDirectoryError";
    this.code = code;
  }
}

/** `manifest.json`: what a run was made of. */
export interface RunManifest {
  readonly format: 1;
  readonly name: string;
  /** ISO 8601. */
  readonly created: string;
  readonly seed: number;
  readonly components: readonly ComponentOrigin[];
  readonly data: { readonly fingerprint: string };
  /** Version by name: `codex-ml`, `node`, and what the runtime adds. */
  readonly versions: Readonly<Record<string, string>>;
  readonly platform: string;
  readonly arch: string;
  /** Where it was computed, in words. */
  readonly device?: string;
}

export const manifestName = "manifest.json";
export const runFileName = "run.yaml";
export const metricsName = "metrics.ndjson";
export const tokenizerFolder = "tokenizer";

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

/** The files of the run's tokenizer, for its `load`. Empty for one that saves nothing. */
export async function readTokenizerFiles({ path }: RunDirectory): Promise<Record<string, string>> {
  const folder = join(path, tokenizerFolder);
  const files: Record<string, string> = {};
  for (const name of [...(await disk.list(folder))].sort())
    files[name] = await readFile(join(folder, name), "utf8");
  return files;
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

function checkManifest(value: unknown): RunManifest {
  if (!isRecord(value)) throw new Error("is not a JSON object");
  if (value.format !== 1)
    throw new Error(`has the format ${JSON.stringify(value.format)}; this version of codex-ml reads 1`);
  for (const [key, type] of [
    ["name", "string"],
    ["created", "string"],
    ["seed", "number"],
    ["platform", "string"],
    ["arch", "string"],
  ] as const)
    if (typeof value[key] !== type) throw new Error(`has no ${type} \`${key}\``);
  if (!Array.isArray(value.components)) throw new Error("has no list `components`");
  if (!isRecord(value.data) || typeof value.data.fingerprint !== "string")
    throw new Error("has no `data.fingerprint`");
  if (!isRecord(value.versions)) throw new Error("has no object `versions`");
  return value as unknown as RunManifest;
}
