import { createHash, randomUUID } from "node:crypto";
import { link, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
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

/** Looks at a lock that others are changing, 10 ms apart. */
const MOST_ATTEMPTS = 500;

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
  // Before the lock can be seen: others of this process know then that its holder lives.
  held.add(own.id);
  try {
    const note = await take(folder, own, force);
    return {
      note,
      release: async () => {
        const text = await readFile(path, "utf8").catch(() => undefined);
        // Another one's by now, where somebody took it by force.
        const remove = () => rm(path, { force: true });
        if (text !== undefined && parseHolder(text)?.id === own.id)
          // Where nothing can be written, on a full disk say, nobody can take it by force either.
          await whileClaimed(path, text, own, remove).catch(remove);
        held.delete(own.id);
      },
    };
  } catch (error) {
    held.delete(own.id);
    throw error;
  }
}

/** Makes the lock one's own. Gives what was found on the way. */
async function take(folder: string, own: Holder, force: boolean): Promise<string | undefined> {
  const path = join(folder, lockName);
  for (let attempt = 1; ; attempt++) {
    if (await createLock(folder, own)) return undefined;
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) {
      const holder = parseHolder(text);
      const alive = holder === undefined ? undefined : await aliveness(holder, own);
      if (alive !== undefined && !force) throw locked(folder, holder, alive);
      const isTaken = await whileClaimed(path, text, own, () => replace(path, own));
      const isCopy = holder !== undefined && alive === undefined && holder.folder !== own.folder;
      if (isTaken) return isCopy ? undefined : takenOver(holder, alive);
    }
    if (attempt > MOST_ATTEMPTS)
      throw new Error(
        `${path} is always being changed by others. If nobody works there, remove the files ${lockName}* of that folder`,
      );
    await setTimeout(10);
  }
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
    await writeFile(staged, textOf(holder), { flag: "wx" });
    try {
      await link(staged, path);
      return true;
    } catch (error) {
      if (errorCode(error) === "EEXIST") return false;
      // File systems without links: the file may be seen half written, which reads as that of a process that died.
      if (!["EPERM", "ENOTSUP", "ENOSYS", "EOPNOTSUPP", "EMLINK"].includes(errorCode(error) ?? ""))
        throw error;
      await writeFile(path, textOf(holder), { flag: "wx" });
      return true;
    }
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(staged, { force: true });
  }
}

/** Puts a lock in the place of another: there is no moment without one. */
async function replace(path: string, own: Holder): Promise<void> {
  const staged = `${path}.${own.id}`;
  try {
    await writeFile(staged, textOf(own), { flag: "wx" });
    await rename(staged, path);
  } finally {
    await rm(staged, { force: true });
  }
}

function textOf(holder: Holder): string {
  return `${JSON.stringify(holder, null, 2)}\n`;
}

/**
 * Does `work` with a lock that was read, if that still is the lock, while nobody else may. Several processes may judge at once that a lock
 * is nobody's, and the slower ones would take what the quicker one has made its own since. So whoever changes a lock first
 * creates a file that is named after its content, which only one can, and looks at the lock again.
 *
 * @returns Whether it was done.
 */
async function whileClaimed(
  path: string,
  content: string,
  own: Holder,
  work: () => Promise<void>,
): Promise<boolean> {
  const claim = `${path}.claim-${createHash("sha256").update(content).digest("hex").slice(0, 32)}`;
  return claimed(claim, own, async () => {
    if ((await readFile(path, "utf8").catch(() => undefined)) !== content) return false;
    await work();
    return true;
  });
}

/** Does `work` while a file of this name is one's own. Who died with it is followed by one who claims the claim. */
async function claimed(claim: string, own: Holder, work: () => Promise<boolean>): Promise<boolean> {
  if (await create(claim, own)) {
    try {
      return await work();
    } finally {
      await rm(claim, { force: true });
    }
  }
  const text = await readFile(claim, "utf8").catch(() => undefined);
  const holder = text === undefined ? undefined : parseHolder(text);
  if (holder === undefined || (await aliveness(holder, own)) !== undefined) return false;
  return claimed(`${claim}-${holder.id.slice(0, 8)}`, own, async () => {
    const isDone = await work();
    // Otherwise it may be another's by now.
    if (isDone) await rm(claim, { force: true });
    return isDone;
  });
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
  // Without the time when it began, it is told from one that had its number before by the ids that it holds.
  if (holder.pid === own.pid)
    return holder.started !== undefined && holder.started === own.started ? "this very process" : undefined;
  if (!isRunning(holder.pid)) return undefined;
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
