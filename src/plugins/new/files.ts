import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { pluginManifest } from "./manifest.ts";
import { templatesFolder } from "./own.ts";
import type { PluginPlan } from "./request.ts";

/** npm leaves files of this name out of a package, so that the template has another. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: ".gitignore" };

/** What the templates say for the component, its package and the year. Everything else in them is as it will be. */
const PLACEHOLDER = /(?:name: )?my_component|my-package|this-year/g;

/** The files of a new package, text by path with `/`, sorted. */
export function pluginFiles(plan: PluginPlan): Map<string, string> {
  const files = new Map([["package.json", `${JSON.stringify(pluginManifest(plan), undefined, 2)}\n`]]);
  for (const folder of ["common", plan.kind.word].map((name) => join(templatesFolder, name)))
    for (const path of filesBelow(folder))
      files.set(RENAMED[path] ?? path, filled(readFileSync(join(folder, path), "utf8"), plan));
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesBelow(join(folder, entry.name)).map((path) => `${entry.name}/${path}`)
      : [entry.name],
  );
}

function filled(text: string, { name, package: packageName }: PluginPlan): string {
  const values: Readonly<Record<string, string>> = {
    my_component: name,
    // Where a run file names it: 3 or true are strings in YAML only between quotes.
    "name: my_component": stringify({ name }).trim(),
    "my-package": packageName,
    "this-year": String(new Date().getFullYear()),
  };
  return text.replaceAll(PLACEHOLDER, (placeholder) => values[placeholder] ?? placeholder);
}
