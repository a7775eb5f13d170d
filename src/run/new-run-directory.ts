import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { disk, errorCode, remedy, writeDurably } from "./file-system.ts";
import { makeFolder } from "./make-folder.ts";
import { displayPath } from "./problems.ts";
import { metricsName, openRunDirectory, type RunDirectory, runFileName } from "./run-directory.ts";
import {
  manifestName,
  RunDirectoryError,
  type RunManifest,
  stagedManifestName,
  writeManifest,
} from "./run-manifest.ts";

/** What a new run directory begins with; {@link completeRunDirectory} adds what the data tells. */
export interface RunContents {
  /** The text of `run.yaml`. */
  readonly runFile: string;
  readonly manifest: Pick<RunManifest, "seed" | "components" | "device" | "threads" | "trial"> & {
    /** Version by name; those that are not known are left out. */
    readonly versions: Readonly<Record<string, string | undefined>>;
  };
}

export interface NewRunDirectory {
  /** What the run is called, usually the run file's name without its extension. */
  readonly name: string;
  /** The folder to use instead of `runs/<name>-<time>`; it must be empty or not exist yet. */
  readonly out?: string | undefined;
  /** Folder that `runs` is made in. Default: the working directory. */
  readonly root?: string;
  readonly now?: Date;
}

/**
 * Refuses a folder for a new run that holds something already. Called before the work begins, and again when the
 * directory is created.
 *
 * @throws {RunDirectoryError} `RUN_DIRECTORY_CREATE`
 */
export async function refuseOccupied(out: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(out);
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return;
    throw cannotCreate(out, cause);
  }
  if (names.length === 0) return;
  const what = names.includes(manifestName) ? "already holds a run" : "is not empty";
  throw new RunDirectoryError(
    "RUN_DIRECTORY_CREATE",
    `${displayPath(resolve(out))} ${what}. Give another folder (--out), or none for a new one under runs/`,
  );
}

/**
 * Creates a run directory: `runs/<name>-<YYYYMMDD-HHmmss>`, or `out`. The manifest is written last, so that what has one
 * is whole; when anything fails, what was written is removed.
 *
 * @param contents Given the directory's absolute path, because `run.yaml` holds paths relative to it.
 * @throws {RunDirectoryError} `RUN_DIRECTORY_CREATE`, saying what to do.
 */
export async function createRunDirectory(
  { name, out, root = process.cwd(), now = new Date() }: NewRunDirectory,
  contents: (path: string) => RunContents,
): Promise<RunDirectory> {
  const wanted =
    out === undefined ? join(resolve(root), "runs", `${fileName(name)}-${timestamp(now)}`) : resolve(out);
  const { path, ours } = out === undefined ? await reserve(wanted) : await take(wanted);
  try {
    await write(path, name, now, contents(path));
  } catch (cause) {
    await removeWritten(path, ours);
    if (cause instanceof RunDirectoryError) throw cause;
    throw cannotCreate(path, cause);
  }
  return openRunDirectory(path);
}

/** `20250131-235959`, in local time: it is for people to find their runs by. */
export function timestamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

/** Makes a folder that was not there. Making it is what reserves it: two runs of one second get two folders. */
async function reserve(wanted: string): Promise<{ readonly path: string; readonly ours: true }> {
  try {
    await makeFolder(dirname(wanted));
    for (let attempt = 1; ; attempt++) {
      const path = attempt === 1 ? wanted : `${wanted}-${attempt}`;
      try {
        await mkdir(path);
        return { path, ours: true };
      } catch (error) {
        if (errorCode(error) !== "EEXIST" || attempt === 1000) throw error;
      }
    }
  } catch (cause) {
    throw cannotCreate(wanted, cause);
  }
}

async function take(path: string): Promise<{ readonly path: string; readonly ours: boolean }> {
  await refuseOccupied(path);
  try {
    return { path, ours: (await makeFolder(path)) !== undefined };
  } catch (cause) {
    throw cannotCreate(path, cause);
  }
}

async function write(
  path: string,
  name: string,
  now: Date,
  { runFile, manifest }: RunContents,
): Promise<void> {
  await writeDurably(disk, join(path, runFileName), [Buffer.from(runFile)]);
  await writeDurably(disk, join(path, metricsName), []);
  const { seed, components, versions, device, threads, trial } = manifest;
  const known = Object.entries(versions).filter((entry): entry is [string, string] => entry[1] !== undefined);
  await writeManifest(path, {
    format: 1,
    name,
    created: now.toISOString(),
    seed,
    components,
    versions: { ...Object.fromEntries(known), node: process.versions.node },
    platform: process.platform,
    arch: process.arch,
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
    ...(trial === undefined ? {} : { trial }),
  });
}

async function removeWritten(path: string, ours: boolean): Promise<void> {
  const written = [runFileName, metricsName, manifestName, stagedManifestName];
  const targets = ours ? [path] : written.map((name) => join(path, name));
  // The first error is the one to report.
  for (const target of targets) await rm(target, { recursive: true, force: true }).catch(() => {});
}

function cannotCreate(path: string, cause: unknown): RunDirectoryError {
  const message = `cannot create the run directory ${displayPath(resolve(path))}: ${remedy(cause)}`;
  return new RunDirectoryError("RUN_DIRECTORY_CREATE", message, { cause });
}

/** A name that any file system takes. */
function fileName(name: string): string {
  const safe = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").replaceAll(/^[-.]+|[-.]+$/g, "");
  return safe === "" ? "run" : safe;
}
