import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import ignore, { type Ignore } from "ignore";

/** Rules of one `.gitignore`, and the folder that they are about. */
interface Rules {
  readonly folder: string;
  readonly ignore: Ignore;
}

export interface TreeOptions {
  /** Whether a file is wanted; `path` is relative to the root, with `/`. */
  wanted(path: string): boolean;
  /** Whether `.gitignore` files are followed. */
  readonly gitignore: boolean;
}

/**
 * Absolute paths of all wanted files below `root`, hidden ones and `node_modules` left out, and what `.gitignore` files
 * leave out: those below it, and those above it up to the top of the repository. The rules of a deeper one win. Links are
 * not followed.
 */
export async function sourceTree(
  root: string,
  { wanted, gitignore }: TreeOptions,
): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = async (folder: string, outer: readonly Rules[]): Promise<void> => {
    const own = gitignore ? await rulesOf(folder) : undefined;
    const rules = own === undefined ? outer : [...outer, own];
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "node_modules" && !isIgnored(`${path}${sep}`, rules)) await walk(path, rules);
      } else if (entry.isFile() && wanted(slashed(root, path)) && !isIgnored(path, rules)) found.push(path);
    }
  };
  await walk(root, gitignore ? await rulesAbove(root) : []);
  return found;
}

async function rulesOf(folder: string): Promise<Rules | undefined> {
  const text = await readFile(join(folder, ".gitignore"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : { folder, ignore: ignore().add(text) };
}

/** Rules of the folders above, from the top of the repository down; none outside of one. */
async function rulesAbove(root: string): Promise<readonly Rules[]> {
  const rules: Rules[] = [];
  for (let folder = resolve(root); ; folder = dirname(folder)) {
    if (folder !== resolve(root)) {
      const own = await rulesOf(folder);
      if (own !== undefined) rules.unshift(own);
    }
    if (await stat(join(folder, ".git")).catch(() => undefined)) return rules;
    if (dirname(folder) === folder) return [];
  }
}

/** The last file with an opinion decides. */
function isIgnored(path: string, rules: readonly Rules[]): boolean {
  for (const { folder, ignore } of rules.toReversed()) {
    const { ignored, unignored } = ignore.test(slashed(folder, path));
    if (ignored || unignored) return ignored;
  }
  return false;
}

/** Relative, with `/`; a folder's `/` at the end stays. */
function slashed(folder: string, path: string): string {
  const name = relative(folder, path).split(sep).join("/");
  return path.endsWith(sep) ? `${name}/` : name;
}
