import { mkdir, open, readdir, rename, rm, statfs } from "node:fs/promises";
import { createFile, type WritableFile } from "./direct-file.ts";

/**
 * The few operations that saving needs, each of which can fail alone. Tests put failures between them; everything else
 * uses {@link disk}.
 */
export interface FileSystem {
  mkdir(path: string): Promise<void>;
  /** Creates a file that must not exist yet. */
  create(path: string): Promise<WritableFile>;
  /** Flushes a folder's list of names, so that a created or renamed entry survives a power loss. */
  syncFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a folder with all it holds; fine when there is none. */
  remove(path: string): Promise<void>;
  /** Names in a folder; empty when there is no such folder. */
  list(path: string): Promise<readonly string[]>;
  /** Bytes that a file in this folder could still take. */
  room(path: string): Promise<number>;
}

/** The disk. */
export const disk: FileSystem = {
  mkdir: async (path) => {
    await mkdir(path, { recursive: true });
  },
  create: createFile,
  syncFolder: async (path) => {
    // Windows cannot open folders as files, and journals renames itself.
    if (process.platform === "win32") return;
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  rename,
  remove: (path) => rm(path, { recursive: true, force: true }),
  list: async (path) => {
    try {
      return await readdir(path);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
  },
  room: async (path) => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

/** Creates `path` with these bytes, flushed to disk. The caller flushes the folder. */
export async function writeDurably(
  files: FileSystem,
  path: string,
  chunks: Iterable<Uint8Array>,
): Promise<void> {
  const file = await files.create(path);
  try {
    for (const chunk of chunks) await file.write(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The system's name of an error, such as `ENOSPC`. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** What to do about an error of the file system, as the second half of a message. */
export function remedy(error: unknown): string {
  switch (errorCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return "the disk is full. Free some space, or use a run directory on another disk (--out)";
    case "EACCES":
    case "EPERM":
      return "no permission to write there. Change the folder's permissions, or use another run directory (--out)";
    case "EROFS":
      return "that file system is read-only. Use a run directory elsewhere (--out)";
    case "EIO":
      return "the disk reported a fault. Check it before trusting it with more, and use a run directory on another one (--out)";
    case "EMFILE":
    case "ENFILE":
      return "too many files are open. Raise the limit (ulimit -n) and try again";
    case "ENOTDIR":
    case "EEXIST":
      return "something that is not a folder stands in the way. Move it, or use another run directory (--out)";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
