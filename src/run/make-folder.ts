import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it; gives the first that was not there.
 *
 * Node says ENOENT of a folder on a read-only disk when it makes several at once; making one alone tells what is wrong.
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true });
  } catch (error) {
    if (isMissing(error)) await makeOne(path);
    throw error;
  }
}

/** Makes the first folder that can be made, to see why not. */
async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
    await makeOne(dirname(path));
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
