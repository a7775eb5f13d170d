import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { InvalidOptionError } from "../registry/index.ts";

/** A file of the corpus. */
export interface SourceFile {
  /** Absolute path, with symbolic links followed. */
  readonly path: string;
  /** Path from the deepest folder that holds all files of the corpus, with `/`: the same wherever that folder lies. */
  readonly name: string;
}

export type OptionPath = readonly (string | number)[];

/**
 * The files that `paths` mean: each is a file, a folder (all files below it but hidden ones), or a glob. A path that
 * exists is never taken for a glob. Files come in the order of their names by code unit, which is the same everywhere,
 * and each once, also when links lead to it again.
 *
 * Looks at names and permissions; reads nothing.
 *
 * @param directory what relative paths start from
 * @param option where the paths are in the options, for the error
 * @throws InvalidOptionError when one does not exist, cannot be read, or matches no file.
 */
export async function findSourceFiles(
  paths: string | readonly string[],
  directory: string,
  option: string | OptionPath,
): Promise<readonly SourceFile[]> {
  const found = new Set<string>();
  const entries: readonly (readonly [string, OptionPath])[] =
    typeof paths === "string"
      ? [[paths, [option].flat()]]
      : paths.map((path, i) => [path, [...[option].flat(), i]]);
  for (const [path, where] of entries)
    for (const file of await expand(path, directory, where)) found.add(file);
  return namedFiles([...found]);
}

/** Absolute paths with their names from the folder `root`, in the order of these, each file once. */
export async function namedFiles(
  paths: readonly string[],
  root = commonFolder(paths),
): Promise<readonly SourceFile[]> {
  const byName = paths
    .map((path) => ({ path, name: relative(root, path).split(sep).join("/") }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const files = new Map<string, SourceFile>();
  for (const { path, name } of byName) {
    const real = await realpath(path);
    if (!files.has(real)) files.set(real, { path: real, name });
  }
  return [...files.values()];
}

async function expand(path: string, directory: string, where: OptionPath): Promise<readonly string[]> {
  const absolute = resolve(directory, path);
  const stats = await stat(absolute).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return undefined;
    throw new InvalidOptionError(
      where,
      `${absolute} cannot be opened (${cause.code}); check its permissions`,
      {
        cause,
      },
    );
  });
  const files = await matches(path, directory, absolute, stats?.isDirectory(), where);
  for (const file of files)
    await access(file, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
      throw new InvalidOptionError(where, `${file} cannot be read (${cause.code}); check its permissions`, {
        cause,
      });
    });
  return files;
}

async function matches(
  path: string,
  directory: string,
  absolute: string,
  isFolder: boolean | undefined,
  where: OptionPath,
): Promise<readonly string[]> {
  const settings = { absolute: true, onlyFiles: true, expandDirectories: false } as const;
  if (isFolder === false) return [absolute];
  if (isFolder) {
    const files = await glob("**/*", { ...settings, cwd: absolute });
    if (files.length > 0) return files.map((file) => resolve(file));
    throw new InvalidOptionError(where, `the folder ${absolute} holds no files (hidden ones do not count)`);
  }
  if (!isDynamicPattern(path))
    throw new InvalidOptionError(
      where,
      `there is no file or folder ${absolute}; relative paths start from ${directory}`,
    );
  const files = await glob(path, { ...settings, cwd: directory });
  if (files.length > 0) return files.map((file) => resolve(file));
  throw new InvalidOptionError(
    where,
    `the glob ${JSON.stringify(path)} matches no file in ${directory}; ` +
      'for example "data/**/*.txt" means all text files below data',
  );
}

/** The deepest folder with all `files` in it. */
function commonFolder(files: readonly string[]): string {
  let folder = dirname(files[0] ?? ".");
  while (files.some((file) => !file.startsWith(folder.endsWith(sep) ? folder : folder + sep)))
    folder = dirname(folder);
  return folder;
}
