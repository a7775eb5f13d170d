/**
 * Writes the pages of the reference that say what the registries know: `npm run docs`. With `--check` it writes nothing and
 * fails when a page is out of date.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { referencePages } from "../src/plugins/reference.ts";
import { configurePlugins } from "../src/registry/index.ts";
import { globalRegistries } from "../src/run/registries.ts";

const folder = "docs/plugins/reference";
const directory = fileURLToPath(new URL(`../${folder}/`, import.meta.url));
const check = process.argv.includes("--check");

configurePlugins({ plugins: false }); // The built-ins alone, not the plugins that happen to be installed here.
// One after the other: jiti hands out a module that two imports share before it has run.
for (const registry of Object.values(globalRegistries))
  for (const name of registry.list()) await registry.get(name);
const pages = await referencePages(globalRegistries);
await mkdir(directory, { recursive: true });
const stray = (await readdir(directory)).filter((name) => !pages.has(name));
const changed: string[] = [...stray];
for (const name of check ? [] : stray) await rm(join(directory, name));
for (const [name, text] of pages) {
  const file = join(directory, name);
  const before = await readFile(file, "utf8").catch(() => undefined);
  if (before?.replaceAll("\r\n", "\n") === text) continue;
  changed.push(name);
  if (!check) await writeFile(file, text);
}
for (const name of changed)
  if (check) console.error(`${folder}/${name} is out of date: run \`npm run docs\``);
  else console.log(`${folder}/${name} ${stray.includes(name) ? "removed" : "written"}`);
if (check && changed.length > 0) process.exitCode = 1;
