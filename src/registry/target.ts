import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { isAbsolute, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { quote } from "./display.ts";
import { isRecord, readPackageJson } from "./packages.ts";
import { closestNames } from "./suggest.ts";

/** A target as a package declares it, taken apart: `./metric#build` is subpath `./metric`, export `build`. */
export interface Target {
  readonly subpath: string;
  readonly exportName: string;
}

/** What Node matches for `import`. `resolve.exports` is told nothing else, so that both always agree on the file. */
function conditions(): string[] {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ");
  const own = [...flags.matchAll(/(?:^| )(?:-C|--conditions)[ =]?([^ =]+)/g)].map(([, name]) => name ?? "");
  return ["node", "import", "module-sync", "node-addons", "default", ...own];
}

// Loaded on first use: most processes meet no plugin, and must not pay for reading its package's `exports`.
const require = createRequire(import.meta.url);

/** @throws when it is not `subpath`, or `subpath#export`, with a subpath of `.` or `./…`. */
export function parseTarget(target: string): Target {
  const hash = target.indexOf("#");
  const subpath = hash === -1 ? target : target.slice(0, hash);
  const exportName = hash === -1 ? "default" : target.slice(hash + 1);
  if ((subpath !== "." && !subpath.startsWith("./")) || exportName === "")
    throw new Error(`the target ${quote(target)} does not read "./subpath#export" (or ".#export")`);
  return { subpath, exportName };
}

/**
 * The file that `import "package/subpath"` would load, for the package in `directory`.
 *
 * Through the package's `exports`; a package without them may name a file.
 *
 * @throws when the subpath is not exported, leads out of the package, or names no file.
 */
export function resolveTarget(directory: string, { subpath }: Target): string {
  const file = join(directory, resolveSubpath(directory, subpath));
  const inside = relative(directory, file);
  if (inside.startsWith("..") || isAbsolute(inside))
    throw new Error(`${quote(subpath)} leads out of the package`);
  if (!existsSync(file)) throw new Error(`there is no file ${file} (has the package been built?)`);
  return file;
}

function resolveSubpath(directory: string, subpath: string): string {
  const manifest = readPackageJson(directory);
  if (manifest.exports !== undefined && manifest.exports !== null) {
    const { exports } = require("resolve.exports") as typeof import("resolve.exports");
    const [file] = exports(manifest, subpath, { conditions: conditions(), unsafe: true }) ?? [];
    if (file === undefined) throw new Error(`the package's "exports" do not give ${quote(subpath)}`);
    return file;
  }
  if (subpath !== ".") return subpath;
  const main =
    typeof manifest.main === "string"
      ? [manifest.main, `${manifest.main}.js`, `${manifest.main}/index.js`]
      : [];
  const candidates = [...main, "index.js"];
  return candidates.find((file) => /\.[a-z]+$/.test(file) && existsSync(join(directory, file))) ?? "index.js";
}

/**
 * Imports the target and gives its export.
 *
 * Node remembers that a module threw and throws the same again, so a further `attempt` asks for the file under a new
 * URL. The first has the plain URL: it is the same module instance that an ordinary import gives.
 */
export async function importTarget(directory: string, target: string, attempt: number): Promise<unknown> {
  const parsed = parseTarget(target);
  const url = pathToFileURL(resolveTarget(directory, parsed));
  if (attempt > 0) url.searchParams.set("attempt", String(attempt));
  const module = (await import(/* @vite-ignore */ url.href)) as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(module, parsed.exportName)) {
    const value = module[parsed.exportName];
    // What compilers make of `export default` in CommonJS: Node gives all of `exports` as the default.
    const compiled = parsed.exportName === "default" && isRecord(value) && value.__esModule === true;
    return compiled ? value.default : value;
  }
  const names = Object.keys(module).filter((name) => name !== "module.exports");
  const [closest] = closestNames(parsed.exportName, names);
  const meant = closest === undefined ? "" : ` Did you mean ${quote(closest)}?`;
  throw new Error(
    `${parsed.subpath} has no export ${quote(parsed.exportName)}.${meant} It exports: ${names.join(", ") || "nothing"}.`,
  );
}
