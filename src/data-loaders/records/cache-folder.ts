import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";

export const cacheSchema = z
  .union([z.literal(false), z.string().min(1)])
  .describe(
    "Folder for what is made of the data once and read in place: its tokens or records. `false` keeps them in memory instead.",
  );

/** Beside the run file. Delete it whenever you like: what is missing is made again. */
export const DEFAULT_CACHE = ".codex-ml/cache";

export function cacheFolder(option: false | string, directory: string): string | undefined {
  return option === false ? undefined : resolve(directory, option);
}

const host = hostname().replaceAll(/[^A-Za-z0-9]/g, "");
const WRITING = `.writing-${host}-`;

/** Names of folders in which this process writes begin so. */
export const writingPrefix = `${WRITING}${process.pid}-`;

/** Creates the folder, which keeps itself out of git, and removes what processes that died left half written in it. */
export async function prepareCacheFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, ".gitignore"), "*\n", { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  for (const name of await readdir(folder)) {
    if (!name.startsWith(WRITING)) continue;
    const pid = Number(name.slice(WRITING.length).split("-")[0]);
    if (Number.isInteger(pid) && !isAlive(pid))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
