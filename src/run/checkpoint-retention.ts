import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { isBest } from "./checkpoint-files.ts";
import type { FileSystem } from "./file-system.ts";

/**
 * Removes abandoned staging, stand-ins and all but the newest `keep` checkpoints; never the one just saved, nor the newest
 * of those that were the best so far.
 */
export async function removeOldCheckpoints(
  files: FileSystem,
  folder: string,
  saved: string,
  keep: number,
): Promise<void> {
  const names = await files.list(folder);
  const others = names
    .filter((name) => /^step-\d+$/.test(name) && name !== saved)
    .sort((left, right) => Number(right.slice(5)) - Number(left.slice(5)));
  const present = new Set([saved, ...others]);
  for (const name of names) {
    const standsInFor = /^\.(step-\d+)\.replaced$/.exec(name)?.[1];
    // A stand-in whose checkpoint is missing is the only copy: it gets its name back.
    if (standsInFor !== undefined && !present.has(standsInFor))
      await files.rename(join(folder, name), join(folder, standsInFor));
    else if (/^\.step-\d+\./.test(name)) await files.remove(join(folder, name));
  }
  const best = await firstBest(folder, [saved, ...others]);
  for (const name of others.slice(keep - 1)) {
    if (name === best) continue;
    // Renamed first: a folder that is half removed must not look like a checkpoint.
    const removing = join(folder, `.${name}.removing-${randomUUID().slice(0, 8)}`);
    await files.rename(join(folder, name), removing);
    await files.remove(removing);
  }
}

async function firstBest(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if (await isBest(join(folder, name))) return name;
  return undefined;
}
