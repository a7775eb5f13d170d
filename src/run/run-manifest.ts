import { join } from "node:path";
import type { ComponentOrigin, RunChange } from "../trainers/index.ts";
import { isRecord } from "./check-config.ts";
import { disk, writeDurably } from "./file-system.ts";
import { unreadableFormat } from "./formats.ts";

/** A run directory that cannot be made, or is none. */
export class RunDirectoryError extends Error {
  readonly code:
    | "RUN_DIRECTORY_CREATE"
    | "RUN_DIRECTORY_NONE"
    | "RUN_DIRECTORY_DAMAGED"
    | "RUN_DIRECTORY_LOCKED";
  constructor(code: RunDirectoryError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RunDirectoryError";
    this.code = code;
  }
}

/**
 * `manifest.json`: what a run was made of. Its `format` is that of the whole directory: of this file, the layout of the folders
 * and the events in `metrics.ndjson`. Checkpoints and the run file have their own.
 */
export interface RunManifest {
  readonly format: 1;
  readonly name: string;
  /** ISO 8601. */
  readonly created: string;
  readonly seed: number;
  readonly components: readonly ComponentOrigin[];
  /** Known once the data was read. */
  readonly data?: { readonly fingerprint: string };
  /** Version by name: `codex-ml`, `node`, and what the runtime adds. */
  readonly versions: Readonly<Record<string, string>>;
  readonly platform: string;
  readonly arch: string;
  /** Where it was computed, in words. */
  readonly device?: string;
  /** That the CPU computed with: the same number gives the same bytes. */
  readonly threads?: number;
  /** Of a trial: what it was restricted to. */
  readonly trial?: { readonly limit?: number; readonly overfitBatch?: number };
  /** Each time that it went on, oldest first. */
  readonly resumed?: readonly Resumption[];
}

/** That a run went on, from where, and what was another since. */
export interface Resumption {
  /** ISO 8601. */
  readonly at: string;
  /** Updates done before. */
  readonly step: number;
  /** Options and versions that changed. */
  readonly changes?: readonly RunChange[];
  /** What was refused, and asked for by name. */
  readonly forced?: readonly string[];
}

export const manifestName = "manifest.json";

/** Writes a manifest so that a reader sees the old one or this one, whole. */
export async function writeManifest(folder: string, manifest: RunManifest): Promise<void> {
  const staged = join(folder, stagedManifestName);
  await disk.remove(staged);
  await writeDurably(disk, staged, [Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)]);
  await disk.rename(staged, join(folder, manifestName));
  await disk.syncFolder(folder);
}

export const stagedManifestName = `.${manifestName}.staging`;

/** @throws {Error} whose message goes on from the file's name. */
export function checkManifest(value: unknown): RunManifest {
  if (!isRecord(value)) throw new Error("is not a JSON object");
  if (value.format !== 1) throw new Error(unreadableFormat(value.format, 1));
  for (const [key, type] of [
    ["name", "string"],
    ["created", "string"],
    ["seed", "number"],
    ["platform", "string"],
    ["arch", "string"],
  ] as const)
    if (typeof value[key] !== type) throw new Error(`has no ${type} \`${key}\``);
  if (!Array.isArray(value.components)) throw new Error("has no list `components`");
  if (value.data !== undefined && !(isRecord(value.data) && typeof value.data.fingerprint === "string"))
    throw new Error("has no `data.fingerprint`");
  if (value.resumed !== undefined && !Array.isArray(value.resumed)) throw new Error("has no list `resumed`");
  if (!isRecord(value.versions)) throw new Error("has no object `versions`");
  return value as unknown as RunManifest;
}
