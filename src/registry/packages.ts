import { existsSync, readFileSync, realpathSync } from "node:fs";
import nodeModule from "node:module";
import { dirname, join } from "node:path";

/** A `package.json` as it came from the disk: nothing in it has been checked. */
export type PackageJson = Readonly<Record<string, unknown>>;

/** The folder, by its real path, of the nearest `package.json` at or above `directory`. */
export function findRoot(directory: string): string | undefined {
  for (let folder = directory; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return realpathSync(folder);
    if (folder === dirname(folder)) return undefined;
  }
}

/** @throws when the file cannot be read, is not JSON, or holds anything but an object. */
export function readPackageJson(directory: string): PackageJson {
  const json: unknown = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  if (!isRecord(json)) throw new Error("a package.json holds a JSON object");
  return json;
}

/**
 * The folder of package `name` as code in `directory` would import it, or `undefined` when it is not installed.
 *
 * Never through `require.resolve(name + "/package.json")`: a package's `exports` may hide its `package.json`. The real
 * path is what `import` uses too, so that a linked package is one module instance and finds its own dependencies (pnpm).
 */
export function locatePackage(name: string, directory: string): string | undefined {
  const pnp = process.versions.pnp === undefined ? undefined : pnpApi(directory);
  if (pnp !== undefined) {
    try {
      return pnp.resolveToUnqualified(name, `${directory}/`, { considerBuiltins: false }) ?? undefined;
    } catch {
      return undefined;
    }
  }
  for (let folder = directory; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (folder === dirname(folder)) return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface PnpApi {
  resolveToUnqualified(
    request: string,
    issuer: string,
    options: { considerBuiltins: boolean },
  ): string | null;
}

/** Yarn's Plug'n'Play adds `findPnpApi` to `node:module`: to the object itself, not to what `import * as` gives. */
function pnpApi(directory: string): PnpApi | undefined {
  const { findPnpApi } = nodeModule as unknown as { findPnpApi?: (path: string) => PnpApi | null };
  return findPnpApi?.(`${directory}/`) ?? undefined;
}
