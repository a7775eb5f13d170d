/** Runs the examples of the reference as a reader would: in a project of its own that depends on this package, as it is built. */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { examples, repository } from "./reference-material.ts";

/** What an example printed, or the error that it ended with. */
export type Printed = { readonly output: string } | { readonly error: string };

/** Packages that examples import. */
const packages = { "codex-ml": ".", "hyparquet-writer": "node_modules/hyparquet-writer" };

/** Names of the built-ins of a kind (`data-loaders`) that have an example. */
export async function exampleNames(folder: string): Promise<readonly string[]> {
  const files = await readdir(join(repository, examples, folder)).catch(() => []);
  return files.filter((file) => file.endsWith(".ts")).map((file) => basename(file, ".ts"));
}

/**
 * Runs all examples of a kind in one process. They are TypeScript without types of their own, so that Node runs them as they
 * stand; each has a folder to itself for the files that it writes.
 */
export async function runExamples(folder: string): Promise<ReadonlyMap<string, Printed>> {
  const project = await mkdtemp(join(tmpdir(), "codex-ml-examples-"));
  try {
    const dependencies = Object.fromEntries(Object.keys(packages).map((name) => [name, "*"]));
    const manifest = { name: "reader", type: "module", dependencies };
    await writeFile(join(project, "package.json"), JSON.stringify(manifest));
    await mkdir(join(project, "node_modules"));
    for (const [name, path] of Object.entries(packages))
      await symlink(join(repository, path), join(project, "node_modules", name), "junction");
    const files: string[] = [];
    for (const name of await exampleNames(folder)) {
      const file = join(project, name, "example.mjs");
      await mkdir(dirname(file));
      await copyFile(join(repository, examples, folder, `${name}.ts`), file);
      files.push(file);
    }
    const process_ = fileURLToPath(new URL("example-process.mjs", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [process_, ...files], { cwd: project });
    const printed = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { file: string } & Printed);
    return new Map(printed.map(({ file, ...result }) => [basename(dirname(file)), result]));
  } finally {
    await rm(project, { recursive: true, force: true });
  }
}
