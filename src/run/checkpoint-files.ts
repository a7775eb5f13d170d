import { createHash } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ComponentOrigin } from "../trainers/index.ts";
import { digesterOf, type FileDigest, isFileDigest } from "./file-digest.ts";
import { errorCode } from "./file-system.ts";
import { unreadableFormat } from "./formats.ts";

/** A checkpoint that could not be saved, or one that must not be used. */
export class CheckpointError extends Error {
  readonly code: "CHECKPOINT_SAVE" | "CHECKPOINT_DAMAGED" | "CHECKPOINT_NONE";
  constructor(code: CheckpointError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CheckpointError";
    this.code = code;
  }
}

/** The folder of a run directory that holds its checkpoints. */
export const checkpointsFolder = "checkpoints";

/** The folder name of a step's checkpoint: `step-000500`. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(6, "0")}`;
}

/** The files of a checkpoint that `state.json` vouches for. */
export const checkpointFiles = {
  model: "model.safetensors",
  optimizer: "optimizer.safetensors",
  config: "config.json",
} as const;

const digestedBytes = 4 * 1024 * 1024;

/** The format of what is written now. */
export const checkpointFormat = 2;

/** The manifest: written last, so that a folder without it is no checkpoint. */
export const manifestFile = "state.json";

export interface CheckpointManifest {
  /** 1 had SHA-256 of files, 2 has CRC-32. */
  readonly format: 1 | 2;
  readonly step: number;
  /** The trainer's own state: position in the data, counters. */
  readonly state: Readonly<Record<string, unknown>>;
  /** SHA-256 of `JSON.stringify(state)`: the manifest cannot hold its own digest. */
  readonly stateSha256: string;
  readonly files: Readonly<Record<string, FileDigest>>;
  /** What was trained; missing in what a program saved without a run. */
  readonly run?: CheckpointRun;
  /** SHA-256 of `JSON.stringify(run)`. */
  readonly runSha256?: string;
}

/** What a run was when its checkpoint was taken: what a run that goes on from there is compared with. */
export interface CheckpointRun {
  /** Bytes of `metrics.ndjson`: what lies behind came later. */
  readonly metricsBytes: number;
  /** Seed and components with all their options. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly components: readonly ComponentOrigin[];
  /** Digest of the data. */
  readonly fingerprint: string;
  readonly versions: Readonly<Record<string, string>>;
  /** What computed, where that was not the CPU. */
  readonly device?: string;
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Whether a checkpoint says that it was the best so far. False for what cannot be read: it is looked at elsewhere. */
export async function isBest(folder: string): Promise<boolean> {
  try {
    return (
      checkManifest(JSON.parse(await readFile(join(folder, manifestFile), "utf8"))).state.best !== undefined
    );
  } catch {
    return false;
  }
}

/**
 * Reads a checkpoint's manifest and compares every file with it.
 *
 * @throws {CheckpointError} `CHECKPOINT_DAMAGED`, naming the file and what is wrong with it.
 */
export async function verifyCheckpoint(folder: string): Promise<CheckpointManifest> {
  const manifest = await readManifest(folder);
  for (const name of Object.keys(manifest.files)) await readVerified(folder, name, manifest, digestFile);
  return manifest;
}

/** @throws {CheckpointError} `CHECKPOINT_DAMAGED` when it is missing or not what was written. */
export async function readManifest(folder: string): Promise<CheckpointManifest> {
  try {
    const manifest = checkManifest(JSON.parse(await readFile(join(folder, manifestFile), "utf8")));
    const [, step] = /^step-(\d+)$/.exec(basename(folder)) ?? [];
    if (step !== undefined && Number(step) !== manifest.step)
      throw new Error(`has the step ${manifest.step}, which its folder's name has not`);
    return manifest;
  } catch (cause) {
    throw damaged(folder, manifestFile, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/**
 * Reads a file of a checkpoint and compares it with the manifest on the way.
 *
 * @param read Reads the file, and gives each of its bytes in order to `inspect`.
 * @throws {CheckpointError} `CHECKPOINT_DAMAGED`, naming the file and what is wrong with it.
 */
export async function readVerified<Result>(
  folder: string,
  name: string,
  { files }: CheckpointManifest,
  read: (path: string, inspect: (bytes: Uint8Array) => void) => Promise<Result>,
): Promise<Result> {
  const path = join(folder, name);
  const expected = files[name];
  try {
    if (expected === undefined) throw new Error("is not in the manifest");
    const { size } = await stat(path);
    if (size !== expected.size) throw new Error(`has ${size} bytes; ${expected.size} were written`);
    const digester = digesterOf(expected);
    const result = await read(path, (bytes) => digester.update(bytes));
    if (digester.hex() !== expected[digester.algorithm])
      throw new Error(`its bytes are not those that were written (${digester.label} differs)`);
    return result;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw damaged(folder, name, errorCode(cause) === "ENOENT" ? "is missing" : why, cause);
  }
}

/** The error that names a file of a checkpoint and what is wrong with it. */
export function damaged(folder: string, file: string, why: string, cause: unknown): CheckpointError {
  const path = join(folder, file);
  // Readers of a format name the file themselves.
  const reason = why.startsWith(`${path}: `) ? why : `${path}: ${why}`;
  return new CheckpointError("CHECKPOINT_DAMAGED", reason, { cause });
}

/** Reads a file into a few pieces of memory in turn: the next piece is read while this one is digested. */
async function digestFile(path: string, inspect: (bytes: Uint8Array) => void): Promise<void> {
  const file = await open(path, "r");
  try {
    const pieces = [new Uint8Array(digestedBytes), new Uint8Array(digestedBytes)];
    let last: Uint8Array | undefined;
    for (let turn = 0, position = 0; ; turn++) {
      const piece = pieces[turn % 2] as Uint8Array;
      const reading = file.read(piece, 0, piece.length, position);
      if (last !== undefined) inspect(last);
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      position += bytesRead;
      last = piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

const manifestKeys = ["format", "step", "state", "stateSha256", "files", "run", "runSha256"];

function checkManifest(value: unknown): CheckpointManifest {
  if (!isRecord(value)) throw new Error("is not a JSON object");
  const { format, step, state, stateSha256, files, run, runSha256 } = value;
  if (format !== 1 && format !== checkpointFormat)
    throw new Error(unreadableFormat(format, checkpointFormat));
  const unknown = Object.keys(value).find((key) => !manifestKeys.includes(key));
  // With a newer format there may be more; in a known one it is a name that was damaged.
  if (unknown !== undefined) throw new Error(`has a key ${JSON.stringify(unknown)} that nobody wrote`);
  if (typeof step !== "number" || !Number.isSafeInteger(step)) throw new Error("has no whole number `step`");
  if (!isRecord(state)) throw new Error("has no object `state`");
  if (typeof stateSha256 !== "string" || sha256(JSON.stringify(state)) !== stateSha256)
    throw new Error("its `state` is not what was written (SHA-256 differs)");
  if (!isRecord(files)) throw new Error("has no object `files`");
  if (run !== undefined && sha256(JSON.stringify(run)) !== runSha256)
    throw new Error("its `run` is not what was written (SHA-256 differs)");
  const digests: Record<string, FileDigest> = {};
  for (const name of Object.values(checkpointFiles)) {
    const entry = files[name];
    if (!isRecord(entry) || !isFileDigest(entry)) throw new Error(`does not vouch for ${name}`);
    digests[name] = entry;
  }
  const described = run === undefined ? {} : { run: run as CheckpointRun, runSha256: runSha256 as string };
  return { format, step, state, stateSha256, files: digests, ...described };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
