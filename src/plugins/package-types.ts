import { existsSync } from "node:fs";
import { join } from "node:path";
import { exports as resolveExports } from "resolve.exports";
import type { PluginPackage } from "../registry/index.ts";

/** What stands behind `subpath#export` of a package for TypeScript. */
export interface TypedTarget {
  readonly subpath: string;
  readonly exportName: string;
  /** The file that has the types, or the one that is run where none has; a path inside the package. */
  readonly file: string;
  /** Whether there are types: a `types` condition, a declaration beside the file, or a file of TypeScript. */
  readonly typed: boolean;
}

/**
 * Looks up a target as TypeScript does (`nodenext`, `bundler`), by names of files alone: what a declaration says is not
 * read. An approximation that serves notes to people; the compiler has the last word.
 */
export function typedTarget(
  { directory, json }: Pick<PluginPackage, "directory" | "json">,
  target: string,
): TypedTarget {
  const hash = target.indexOf("#");
  const subpath = hash === -1 ? target : target.slice(0, hash);
  const exportName = hash === -1 ? "default" : target.slice(hash + 1);
  const file = mappedFile(json, subpath) ?? subpath;
  const found = [file, ...declarationsFor(file)].find(
    (path) => /\.[cm]?tsx?$/.test(path) && existsSync(join(directory, path)),
  );
  return { subpath, exportName, file: found ?? file, typed: found !== undefined };
}

/** The file that `import "package/subpath"` means: its types where the manifest names them, else its code. */
function mappedFile(json: PluginPackage["json"], subpath: string): string | undefined {
  if (json.exports !== undefined && json.exports !== null) {
    const conditions = ["types", "node", "import", "module-sync", "default"];
    try {
      return resolveExports(json, subpath, { conditions, unsafe: true })?.[0];
    } catch {
      return undefined; // The subpath is not exported: `plugins list` says so.
    }
  }
  if (subpath !== ".") return subpath;
  const [main] = [json.types, json.typings, json.main].filter((path) => typeof path === "string");
  return main ?? "index.js";
}

/** Where a declaration of `dist/metric.js` may stand: `dist/metric.d.ts`; and of a folder or a path without extension. */
function declarationsFor(file: string): readonly string[] {
  const stem = file.replace(/\.([cm]?)jsx?$/, "");
  const [, flavour = ""] = /\.([cm])jsx?$/.exec(file) ?? [];
  return stem === file ? [`${file}.d.ts`, `${file}/index.d.ts`] : [`${stem}.d.${flavour}ts`];
}
