import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import nodeModule from "node:module";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
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
  const json: unknown = JSON.parse(readFileSync(below(directory, "package.json"), "utf8"));
  if (!isRecord(json)) throw new Error("a package.json holds a JSON object");
  return json;
}

/** What `join` gives for a folder without dots in it; done for each package twice, `join` would be a third of the whole search. */
export function below(folder: string, path: string): string {
  return folder.endsWith(sep) ? folder + path : folder + sep + path;
}

/** The first of `path` below `directory` and below each folder above it that holds a `package.json`. */
function findUpwards(directory: string, path: string): string | undefined {
  for (let folder = directory; ; folder = dirname(folder)) {
    const candidate = path === "" ? folder : below(folder, path);
    if (existsSync(below(candidate, "package.json"))) return candidate;
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
  if (pnp === undefined) return findUpwards(directory, below("node_modules", name));
  try {
    return pnp.resolveToUnqualified(name, `${directory}/`, { considerBuiltins: false }) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * The path by which `import` knows a located package: a linked one is then one module instance and finds its own
 * dependencies (pnpm). Plug'n'Play's paths are such already.
 *
 * @param known Real paths of the folders that packages lie in: most share one, and resolving it is the greater part.
 */
export function importedPath(directory: string, known = new Map<string, string>()): string {
  if (process.versions.pnp !== undefined) return directory;
  if (lstatSync(directory).isSymbolicLink()) return realpathSync(directory);
  const folder = dirname(directory);
  const real = known.get(folder) ?? realpathSync(folder);
  known.set(folder, real);
  return below(real, basename(directory));
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

/** Whether a version, ours, fits a peer range; ranges that only a package manager understands (`file:…`) fit. */
export function fitsRange(peer: string, version = ownVersion() ?? ""): boolean {
  const range = peer.replace(/^workspace:/, "").trim();
  const quick = fitsSimply(version, range);
  if (quick !== undefined) return quick;
  const Range = require("semver/classes/range.js") as typeof import("semver/classes/range.js");
  try {
    return version === "" || new Range(range, { includePrerelease: true }).test(version);
  } catch {
    return true;
  }
}

/** The same for `^`, `~` or `>=` and a plain version, which nearly every plugin says: loading semver takes 10 ms. */
function fitsSimply(version: string, range: string): boolean | undefined {
  const [, operator, ...wanted] = /^(\^|~|>=)(\d+)\.(\d+)\.(\d+)$/.exec(range) ?? [];
  const [, ...own] = /^(\d+)\.(\d+)\.(\d+)$/.exec(version) ?? [];
  if (operator === undefined || own.length === 0) return undefined;
  const at = wanted.findIndex((part, place) => Number(part) !== Number(own[place]));
  if (at === -1) return true;
  // What must not change: with `^` all up to the first part that is not 0, with `~` the first two.
  const significant = wanted.findIndex((part) => Number(part) !== 0);
  const fixed = operator === ">=" ? 0 : operator === "~" ? 2 : (significant === -1 ? 2 : significant) + 1;
  return at >= fixed && Number(own[at]) > Number(wanted[at]);
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
  let problem = "";
  try {
    const [file] = exports(manifest, subpath, { conditions: conditions(), unsafe: true }) ?? [];
    if (typeof file === "string") return file;
  } catch (cause) {
    // It says which of the two it is: no such subpath, or no condition under it that an import meets.
    const entries = Object.entries(Object(manifest.exports) as PackageJson);
    const given = entries.flatMap(([key, value]) =>
      key.startsWith(".") && value !== null ? quote(key) : [],
    );
    if (String(cause).includes("No known conditions")) problem = " to an import, only under other conditions";
    else if (given.length > 0) problem = `; they give ${given.join(", ")}`;
  }
  throw new Error(`the package's "exports" do not give ${quote(subpath)}${problem}`);
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
