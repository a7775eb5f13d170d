import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { errorCode, remedy } from "./file-system.ts";
import { displayPath } from "./problems.ts";
import { RunDirectoryError } from "./run-manifest.ts";

export const lockName = "run.lock";

/** Who works on a run directory. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
  /** Of the machine's running system; another one means that every process of it is gone. Linux only. */
  readonly boot?: string;
  /** When the process began, in the system's ticks: a later process may get the same number. Linux only. */
  readonly started?: string;
  /** Number of the folder: in a copy of the directory the lock is a copy too, and means nothing. */
  readonly folder: string;
  /** Tells two locks of one process apart. */
  readonly id: string;
}

export interface RunLock {
  /** Lets others work on the directory. */
  release(): Promise<void>;
  /** What was found on the way: the lock of a process that died. */
  readonly note: string | undefined;
}

/** Ids of the locks that this process holds. */
const held = new Set<string>();

/**
 * Takes a run directory for this process, so that no other writes into it. The lock of a process that died is taken over:
 * its number is gone or belongs to another process now, or the machine was started anew.
 *
 * @param force Takes it even from a process that may be alive: on another machine, nobody here can tell.
 * @throws {RunDirectoryError} `RUN_DIRECTORY_LOCKED`, saying who holds it.
 */
export async function lockRunDirectory(folder: string, force = false): Promise<RunLock> {
  const path = join(folder, lockName);
  const own = await describeSelf(folder);
  let note: string | undefined;
  for (let attempt = 1; ; attempt++) {
    if (await createLock(folder, own)) break;
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) {
      if (attempt > 100) throw new Error(`${path} comes and goes`);
      continue;
    }
    const holder = parseHolder(text);
    const alive = holder === undefined ? undefined : await aliveness(holder, own);
    if (alive !== undefined && !force) throw locked(folder, holder, alive);
    const isCopy = holder !== undefined && alive === undefined && holder.folder !== own.folder;
    if ((await takeAway(path, text)) && !isCopy) note = takenOver(holder, alive);
  }
  held.add(own.id);
  return {
    note,
    release: async () => {
      held.delete(own.id);
      const text = await readFile(path, "utf8").catch(() => undefined);
      // Another one's by now, where somebody took it by force.
      if (text !== undefined && parseHolder(text)?.id === own.id) await rm(path, { force: true });
    },
  };
}

async function createLock(folder: string, own: Holder): Promise<boolean> {
  try {
    return await create(join(folder, lockName), own);
  } catch (cause) {
    const message = `cannot lock the run directory ${displayPath(folder)}: ${remedy(cause)}`;
    throw new RunDirectoryError("RUN_DIRECTORY_CREATE", message, { cause });
  }
}

/** A name that appears with all its content, or not at all because it exists. */
async function create(path: string, holder: Holder): Promise<boolean> {
  const staged = `${path}.${holder.id}`;
  try {
    await writeFile(staged, `${JSON.stringify(holder, null, 2)}\n`, { flag: "wx" });
    try {
      await link(staged, path);
      return true;
    } catch (error) {
      if (errorCode(error) === "EEXIST") return false;
      // File systems without links: the file may be seen half written, which reads as that of a process that died.
      if (!["EPERM", "ENOTSUP", "ENOSYS", "EOPNOTSUPP", "EMLINK"].includes(errorCode(error) ?? ""))
        throw error;
      await writeFile(path, `${JSON.stringify(holder, null, 2)}\n`, { flag: "wx" });
      return true;
    }
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(staged, { force: true });
  }
}

/**
 * Removes a lock that was judged to be nobody's. Two processes may judge so at once, and the slower one would remove what the
 * quicker one has taken since: so it is moved aside first, and moved back when it is not the one that was judged.
 */
async function takeAway(path: string, judged: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
  const isJudged = (await readFile(aside, "utf8")) === judged;
  if (!isJudged) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
  return isJudged;
}

async function describeSelf(folder: string): Promise<Holder> {
  const boot = await bootId();
  const started = await startOf(process.pid);
  const { dev, ino } = await stat(folder);
  return {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    ...(boot !== undefined && { boot }),
    ...(started !== undefined && { started }),
    folder: `${dev}:${ino}`,
    id: randomUUID(),
  };
}

/** In words, why the holder is or may be alive; undefined when it is not. */
async function aliveness(holder: Holder, own: Holder): Promise<string | undefined> {
  if (held.has(holder.id)) return "this very process";
  if (holder.host !== own.host) return "another machine, so nobody here can tell whether it still runs";
  if (holder.folder !== own.folder) return undefined;
  if (holder.boot !== own.boot) return undefined;
  if (holder.pid === own.pid || !isRunning(holder.pid)) return undefined;
  if (holder.started !== undefined && holder.started !== (await startOf(holder.pid))) return undefined;
  return "it still runs";
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== "ESRCH";
  }
}

async function bootId(): Promise<string | undefined> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => undefined))?.trim();
}

/** Field 22 of `/proc/<pid>/stat` (proc(5)); the second, the name, may have spaces and brackets in it. */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    return typeof value?.pid === "number" && typeof value.host === "string" && typeof value.id === "string"
      ? (value as Holder)
      : undefined;
  } catch {
    return undefined;
  }
}

function locked(folder: string, holder: Holder | undefined, alive: string): RunDirectoryError {
  const who = holder && `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
  return new RunDirectoryError(
    "RUN_DIRECTORY_LOCKED",
    `${displayPath(folder)} is in use by ${who} (${alive}). Wait for it or stop it; if you know that it is gone: --force lock`,
  );
}

function takenOver(holder: Holder | undefined, alive: string | undefined): string {
  if (holder === undefined) return "an unreadable lock was taken over";
  const who = `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
  return alive === undefined
    ? `the lock of ${who} was taken over: that process is gone`
    : `the lock of ${who} was taken by force`;
}
