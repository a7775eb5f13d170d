/**
 * What `codex-ml plugins new` writes, from its author's side: installed by npm, built, tested, listed, trained with, and
 * packed. One package of each kind, all through real processes.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../cli/project.ts";
import { Workspace } from "./workspace.ts";

/** Kind, name and package; names that look like something else in YAML, in a path or in a regular expression, too. */
const packages = [
  ["tokenizer", "true", "codex-ml-true"],
  ["model", "my.model", "@me/my-model"],
  ["metric", "accuracy@late:4", "codex-ml-accuracy-late-4"],
  ["data-loader", "12", "codex-ml-12"],
  ["trainer", "my_trainer", "my-trainer"],
] as const;

const groups = {
  tokenizer: "tokenizers",
  model: "models",
  metric: "metrics",
  "data-loader": "data_loaders",
  trainer: "trainers",
} as const;

const cli = join(repository, "dist", "cli.mjs");
const folderOf = (kind: string) => join("members", kind);

let workspace: Workspace;
beforeAll(async () => {
  workspace = await Workspace.create();
  for (const [kind, name, packageName] of packages)
    await workspace.run("node", [
      cli,
      "plugins",
      "new",
      kind,
      name,
      "--package",
      packageName,
      "--dir",
      folderOf(kind),
    ]);
  await workspace.install();
});
afterAll(() => workspace.remove());

describe.each(packages)("a new %s called %s, in the package %s", (kind, name, packageName) => {
  const run = (program: string, ...args: string[]) => workspace.run(program, args, folderOf(kind));
  const codexMl = (...args: string[]) => run("npx", "--no-install", "codex-ml", ...args);

  test("builds, and passes its own tests", async () => {
    // The reporter is another from Node 23 on: "# fail 0", "ℹ fail 0".
    const printed = await run("npm", "test");
    expect(printed).toMatch(/^. fail 0$/m);
    expect(printed).toMatch(/two processes/);
    expect(Number(/^. pass (\d+)$/m.exec(printed)?.[1])).toBeGreaterThan(15);
  });

  test("is listed as itself, with the description of its definition, and without a problem", async () => {
    const { components, problems } = JSON.parse(
      await codexMl("plugins", "list", "--kind", groups[kind], "--json"),
    );
    expect(problems).toEqual([]);
    const { build } = await import(`../../templates/${kind}/src/index.ts`);
    expect(components.find((one: { name: string }) => one.name === name)).toMatchObject({
      description: build.description,
      origin: { kind: "entry-point", package: packageName, version: "0.1.0" },
    });
  });

  test("is imported, and tells the options that its README has, with their defaults", async () => {
    const { failure, options } = JSON.parse(
      await codexMl("plugins", "inspect", `${groups[kind]}/${name}`, "--json"),
    );
    expect(failure).toBeUndefined();
    const readme = await run("cat", "README.md");
    const rows = [...readme.matchAll(/^\| `(\w+)` +\| ([^|]+?) +\|/gm)].map(([, option, fallback]) => [
      option,
      /^[\d.]+$/.test(fallback ?? "") ? Number(fallback) : undefined,
    ]);
    const told = (options as { name: string; default?: unknown }[]).map((one) => [one.name, one.default]);
    expect(rows.toSorted()).toEqual(told.toSorted());
  });

  test("trains with its run file, and the loss falls", async () => {
    const printed = await codexMl("train", "run.yaml", "--json");
    const events = printed
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const losses = events.filter(({ type }) => type === "step").map(({ loss }) => loss);
    expect(losses.at(-1)).toBeLessThan(losses[0] * 0.7);
    expect(events.at(-1)).toMatchObject({ type: "end", reason: "maxSteps" });
    expect(JSON.stringify(events[0].components)).toContain(`${packageName}@0.1.0`);
    expect(events.filter(({ type }) => type === "warning")).toEqual([]);
  });

  test("packs what it needs and nothing else, as publint likes it", async () => {
    await run("rm", "-r", "dist");
    // npm runs `prepare` before it packs.
    const [{ files }] = JSON.parse(await run("npm", "pack", "--json", "--silent"));
    expect(files.map(({ path }: { path: string }) => path).sort()).toEqual([
      "LICENSE",
      "README.md",
      "dist/index.d.ts",
      "dist/index.js",
      "package.json",
    ]);
    const publint = join(repository, "node_modules", "publint", "src", "cli.js");
    expect(await run("node", publint, "--strict", "--pack", "npm")).toMatch(/All good/);
  });
});
