/** What importing `codex-ml/registry` loads: the built file, in a process of its own, with every module written down. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const repository = fileURLToPath(new URL("../../", import.meta.url));
const face = new URL("../../dist/registry.mjs", import.meta.url);
const logger = new URL("./fixtures/log-imports.mjs", import.meta.url);

/** Runs a module after importing the face as `registry`: what it printed, and the paths of everything loaded for it. */
function run(program: string): { printed: unknown; loaded: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "codex-ml-imports-"));
  const main = join(folder, "main.mjs");
  const log = join(folder, "log.txt");
  // `require.cache` has what was loaded as CommonJS, native addons among it, which no hook sees.
  writeFileSync(
    main,
    `import { createRequire } from "node:module";
     const registry = await import(${JSON.stringify(face.href)});
     const print = (value) => process.stdout.write(JSON.stringify({ value, required: Object.keys(createRequire(import.meta.url).cache) }));
     ${program}`,
  );
  const output = execFileSync(process.execPath, ["--import", logger.href, main], {
    cwd: folder,
    env: { ...process.env, LOG_IMPORTS_TO: log, NODE_OPTIONS: "" },
    encoding: "utf8",
  });
  const { value, required } = JSON.parse(output) as { value: unknown; required: string[] };
  const imported = readFileSync(log, "utf8")
    .split("\n")
    .filter((url) => url.startsWith("file:"));
  const loaded = [...imported.map((url) => fileURLToPath(url)), ...required];
  return {
    printed: value,
    loaded: loaded.filter((path) => path !== main && !path.endsWith("log-imports.mjs")),
  };
}

const packagesIn = (paths: readonly string[]): string[] => [
  ...new Set(paths.flatMap((path) => /.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path)?.[1] ?? [])),
];

/** Files of the built-ins, as the contracts import them: `bpe` for `import("./bpe.ts")`. */
const builtinFiles = ["tokenizers", "models", "metrics", "data-loaders", "trainers"].flatMap((room) =>
  [
    ...readFileSync(join(repository, "src", room, "index.ts"), "utf8").matchAll(
      /import\("\.\/([^"]+)\.ts"\)/g,
    ),
  ].map(([, name]) => name ?? ""),
);

test("importing the registries and listing every name loads no library and no built-in", () => {
  const { printed, loaded } = run(`print([
    registry.tokenizerRegistry, registry.modelRegistry, registry.metricRegistry,
    registry.dataLoaderRegistry, registry.trainerRegistry,
  ].flatMap((one) => [...one.list(), ...one.entries().map(({ origin }) => origin.status)]));`);
  expect(printed).toEqual(
    expect.arrayContaining(["bpe", "gpt2", "perplexity", "text", "causal_lm", "declared"]),
  );
  expect(printed).not.toContain("loaded");
  expect(packagesIn(loaded)).toEqual([]);
  expect(builtinFiles.length).toBeGreaterThan(5);
  const chunks = loaded.map((path) =>
    path
      .split(/[\\/]/)
      .at(-1)
      ?.replace(/(-[\w-]{8})?\.mjs$/, ""),
  );
  expect(chunks).toContain("registry");
  expect(builtinFiles.filter((name) => chunks.includes(name))).toEqual([]);
});

test("asking for a metric loads that metric and what it is made with, but no engine", () => {
  const { printed, loaded } = run(
    `print(typeof (await registry.getMetric("perplexity")).update === "function");`,
  );
  expect(printed).toBe(true);
  expect(loaded.some((path) => path.includes("perplexity"))).toBe(true);
  expect(packagesIn(loaded).filter((name) => name !== "zod")).toEqual([]);
});

test("a registration knows its place in the program, not in the bundle", () => {
  const { printed } = run(`
    registry.registerMetric("direct", () => () => 0);
    registry.registerMetric("curried")(() => () => 0);
    const scope = registry.metricRegistry.temporarily({ scoped: () => () => 0 });
    print(["direct", "curried", "scoped"].map((name) => registry.metricRegistry.inspect(name).origin.location));`);
  expect(printed).toEqual([5, 6, 7].map((line) => expect.stringMatching(new RegExp(`main\\.mjs:${line}$`))));
});
