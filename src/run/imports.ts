import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "./usage-error.ts";

const imported = new Map<string, Promise<void>>();

/**
 * Imports modules of the project for what they do: register components. TypeScript is compiled on the way. A module that
 * was imported before in this process is not run again.
 *
 * @param paths Relative to `directory`, or absolute.
 * @throws {UsageError} naming the module, with the original exception as `cause`.
 */
export async function importModules(paths: readonly string[], directory: string): Promise<void> {
  for (const path of paths) {
    const absolute = resolve(directory, path);
    const known = imported.get(absolute) ?? importModule(absolute);
    imported.set(absolute, known);
    try {
      await known;
    } catch (cause) {
      // It may have been mended when it is asked for again.
      imported.delete(absolute);
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new UsageError(`cannot import ${path}: ${why}`, { cause });
    }
  }
}

async function importModule(path: string): Promise<void> {
  if (/^\.[cm]?ts$/.test(extname(path))) {
    const { createJiti } = await import("jiti");
    await createJiti(path, { fsCache: false }).import(path);
  } else await import(pathToFileURL(path).href);
}
