import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The file system refused; nothing of what was to be written is there. */
class PluginWriteError extends Error {
  override readonly name = "PluginWriteError";
  readonly code = "PLUGIN_WRITE";
}

/**
 * Writes files into a folder that does not exist, or has nothing of the same name: all of them or none. They are written
 * beside it (inside it, when it exists) and then moved.
 *
 * @param files text by path with `/`
 * @throws PluginWriteError when the disk is full, a folder may not be written to …
 */
export async function writeFolder(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  /** What to remove when something fails, the latest first. */
  const made: string[] = [];
  try {
    const exists = existsSync(directory);
    const beside = exists ? directory : dirname(directory);
    const firstMade = await mkdir(beside, { recursive: true });
    if (firstMade !== undefined) made.unshift(firstMade);
    const stage = await mkdtemp(join(beside, ".codex-ml-new-"));
    made.unshift(stage);
    for (const [path, text] of files) {
      const file = join(stage, ...path.split("/"));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { flag: "wx" });
    }
    if (!exists) return await rename(stage, directory);
    for (const entry of await readdir(stage)) {
      await rename(join(stage, entry), join(directory, entry));
      made.unshift(join(directory, entry));
    }
    await rm(stage, { recursive: true });
  } catch (cause) {
    const { message } = cause as Error;
    throw new PluginWriteError(`Could not write ${directory}: ${message}. ${await removeAll(made)}`, {
      cause,
    });
  }
}

async function removeAll(paths: readonly string[]): Promise<string> {
  const left: string[] = [];
  for (const path of paths) await rm(path, { recursive: true, force: true }).catch(() => left.push(path));
  return left.length === 0 ? "Nothing was left there." : `Please remove ${left.join(", ")}.`;
}
