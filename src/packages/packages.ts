import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import nodeModule from "node:module";
import { dirname, isAbsolute, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { quote } from "./display.ts";
import { closestNames } from "./suggest.ts";

// For what is loaded on first use: most processes meet no plugin, and must not pay for reading its `exports` or peers.
const require = nodeModule.createRequire(import.meta.url);

/** What Node matches for `import`. `resolve.exports` is told nothing else, so that both always agree on the file. */
function conditions(): string[] {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ");
  const own = [...flags.matchAll(/(?:^| )(?:-C|--conditions)[ =]?([^ =]+)/g)].map(([, name]) => name ?? "");
  return ["node", "import", "module-sync", "node-addons", "default", ...own];
}

/** A `package.json` as it came from the disk: nothing in it has been checked. */
export type PackageJson = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws when the file cannot be read, is not JSON, or holds anything but an object. */
export function readPackageJson(directory: string): PackageJson {
  const json: unknown = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  if (!isRecord(json)) throw new Error("a package.json holds a JSON object");
  return json;
}

/** The first of `path` below `directory` and below each folder above it that holds a `package.json`. */
function findUpwards(directory: string, path: string): string | undefined {
  for (let folder = directory; ; folder = dirname(folder)) {
    const candidate = join(folder, path);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The folder, by its real path, of the nearest `package.json` at or above `directory`. */
export function findRoot(directory: string): string | undefined {
  const folder = findUpwards(directory, "");
  return folder === undefined ? undefined : realpathSync(folder);
}

/**
 * The folder of package `name` as code in `directory` would import it, or `undefined` when it is not installed.
 *
 * Never through `require.resolve(name + "/package.json")`: a package's `exports` may hide its `package.json`.
 */
export function locatePackage(name: string, directory: string): string | undefined {
  const pnp = pnpApi(directory);
  if (pnp === undefined) return findUpwards(directory, join("node_modules", name));
  try {
    return pnp.resolveToUnqualified(name, `${directory}/`, { considerBuiltins: false }) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * The path by which `import` knows a located package: a linked one is then one module instance and finds its own
 * dependencies (pnpm). Plug'n'Play's paths are such already.
 */
export function importedPath(directory: string): string {
  return process.versions.pnp === undefined ? realpathSync(directory) : directory;
}

/** Yarn's Plug'n'Play adds `findPnpApi` to `node:module`: to the object itself, not to what `import * as` gives. */
function pnpApi(directory: string) {
  type PnpApi = { resolveToUnqualified(name: string, issuer: string, options: object): string | null };
  const { findPnpApi } = nodeModule as unknown as { findPnpApi?: (path: string) => PnpApi | null };
  return findPnpApi?.(`${directory}/`) ?? undefined;
}

/** The package that this code belongs to: what built-ins come from, and what plugins have as their peer. */
export const OWN_NAME = "codex-ml";

let own: { readonly version: string | undefined } | undefined;

/** Our version, or `undefined` where we were bundled into another program and lost our `package.json`. */
export function ownVersion(): string | undefined {
  if (own === undefined) {
    const root = findRoot(dirname(fileURLToPath(import.meta.url)));
    const { name, version } = root === undefined ? {} : readPackageJson(root);
    own = { version: name === OWN_NAME && typeof version === "string" ? version : undefined };
  }
  return own.version;
}

/** Whether our version fits a peer range; ranges that only a package manager understands (`file:…`) fit. */
export function fitsRange(peer: string): boolean {
  const version = ownVersion() ?? "";
  const range = peer.replace(/^workspace:/, "");
  // Loading semver takes 10 ms; `^` and an earlier patch of ours, which nearly every plugin says, needs none of it.
  const [, line = "", patch] = /^\^(\d+\.\d+\.)(\d+)$/.exec(range) ?? [];
  if (version.startsWith(line) && Number(version.slice(line.length)) >= Number(patch)) return true;
  const Range = require("semver/classes/range.js") as typeof import("semver/classes/range.js");
  try {
    return version === "" || new Range(range, { includePrerelease: true }).test(version);
  } catch {
    return true;
  }
}

/**
 * Takes a target apart: `./metric#build` is subpath `./metric`, export `build`.
 *
 * @throws when it is not `subpath`, or `subpath#export`, with a subpath of `.` or `./…`.
 */
export function parseTarget(target: string): { readonly subpath: string; readonly exportName: string } {
  const [, subpath, exportName = "default"] = /^(\.|\.\/[^#]*)(?:#(.+))?$/s.exec(target) ?? [];
  if (subpath !== undefined) return { subpath, exportName };
  throw new Error(`the target ${quote(target)} does not read "./subpath#export" (or ".#export")`);
}

/**
 * The file that `import "package/subpath"` would load, for the package in `directory`: through its `exports`, and a
 * package without them may name a file.
 *
 * @throws when the subpath is not exported, leads out of the package, or names no file.
 */
export function resolveTarget(directory: string, target: string, manifest: PackageJson): string {
  const { subpath } = parseTarget(target);
  const file = join(directory, resolveSubpath(directory, subpath, manifest));
  const inside = relative(directory, file);
  if (inside.startsWith("..") || isAbsolute(inside))
    throw new Error(`${quote(subpath)} leads out of the package`);
  if (!existsSync(file)) throw new Error(`there is no file ${file} (has the package been built?)`);
  return file;
}

function resolveSubpath(directory: string, subpath: string, manifest: PackageJson): string {
  if (manifest.exports === undefined || manifest.exports === null)
    return subpath === "." ? legacyMain(directory, manifest) : subpath;
  const { exports } = require("resolve.exports") as typeof import("resolve.exports");
  const [file] = exports(manifest, subpath, { conditions: conditions(), unsafe: true }) ?? [];
  if (file === undefined) throw new Error(`the package's "exports" do not give ${quote(subpath)}`);
  return file;
}

/** `main` as Node's `import` reads it for a package without `exports`: with an extension, or a folder, to be guessed. */
function legacyMain(directory: string, { main }: PackageJson): string {
  const given = typeof main === "string" ? [main, `${main}.js`, `${main}/index.js`] : [];
  const isFile = (path: string) =>
    statSync(join(directory, path), { throwIfNoEntry: false })?.isFile() === true;
  return [...given, "index.js"].find(isFile) ?? String(main ?? "index.js");
}

/**
 * Imports the target and gives its export.
 *
 * Node remembers that a module threw and throws the same again, so a further `attempt` asks for the file under a new
 * URL. The first has the plain URL: it is the same module instance that an ordinary import gives.
 */
export async function importTarget(directory: string, target: string, attempt: number): Promise<unknown> {
  const { subpath, exportName } = parseTarget(target);
  const url = pathToFileURL(resolveTarget(directory, target, readPackageJson(directory)));
  if (attempt > 0) url.searchParams.set("attempt", String(attempt));
  const module = (await import(/* @vite-ignore */ url.href)) as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(module, exportName)) {
    const value = module[exportName];
    // What compilers make of `export default` in CommonJS: Node gives all of `exports` as the default.
    const isCompiled = exportName === "default" && isRecord(value) && value.__esModule === true;
    return isCompiled ? value.default : value;
  }
  const names = Object.keys(module).filter((name) => name !== "module.exports");
  const [closest] = closestNames(exportName, names);
  const meant = closest === undefined ? "" : ` Did you mean ${quote(closest)}?`;
  const known = `It exports: ${names.join(", ") || "nothing"}.`;
  throw new Error(`${subpath} has no export ${quote(exportName)}.${meant} ${known}`);
}
