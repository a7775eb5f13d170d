/**
 * Writes the pages of the reference that say what the registries know: `npm run docs`. With `--outputs` it first runs the
 * examples on them, with the package as it is built, and writes beside each what it prints. With `--check` it writes nothing
 * and fails when a page is out of date.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { globSync } from "tinyglobby";
import { referencePages } from "../src/plugins/reference.ts";
import { configurePlugins } from "../src/registry/index.ts";
import { globalRegistries } from "../src/run/registries.ts";
import { examples, materialOf, repository } from "./reference-material.ts";
import { runExamples } from "./run-examples.ts";

const folder = "docs/plugins/reference";
const check = process.argv.includes("--check");
const kinds = Object.values(globalRegistries).map(({ kind }) => kind.kind.replaceAll("_", "-"));

async function docs(): Promise<void> {
  if (process.argv.includes("--outputs")) for (const kind of kinds) await writeOutputs(kind);

  configurePlugins({ plugins: false }); // The built-ins alone, not the plugins that happen to be installed here.
  // One after the other: jiti hands out a module that two imports share before it has run.
  for (const registry of Object.values(globalRegistries))
    for (const name of registry.list()) await registry.get(name);
  const pages = await referencePages(globalRegistries, materialOf);
  const wanted = new Map([...pages].map(([name, text]) => [`${folder}/${name}`, text]));
  const stray = globSync(`${folder}/**/*.md`, { cwd: repository }).filter((path) => !wanted.has(path));
  for (const path of stray) {
    if (!check) await rm(join(repository, path));
    tell(path, "removed");
  }
  for (const [path, text] of wanted) await update(path, text);
}

/** Writes a file, or with `--check` says that it should be, where its text is another. */
async function update(path: string, text: string): Promise<void> {
  const file = join(repository, path);
  const before = await readFile(file, "utf8").catch(() => undefined);
  if (before?.replaceAll("\r\n", "\n") === text) return;
  if (!check) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  tell(path, "written");
}

function tell(path: string, done: string): void {
  if (check) {
    console.error(`${path} is out of date: run \`npm run docs\``);
    process.exitCode = 1;
  } else console.log(`${path} ${done}`);
}

async function writeOutputs(kind: string): Promise<void> {
  for (const [name, result] of await runExamples(kind)) {
    const path = `${examples}/${kind}/${name}`;
    if ("error" in result) throw new Error(`${path}.ts failed: ${result.error}`);
    await update(`${path}.txt`, result.output);
  }
}

await docs().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
