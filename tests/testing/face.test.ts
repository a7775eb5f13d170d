/** The built face, as a plugin author's test runner meets it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as face from "codex-ml/testing";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "codex-ml-testing-face-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const built = new URL("../../dist/testing.mjs", import.meta.url);
const logger = new URL("../registry/fixtures/log-imports.mjs", import.meta.url);

test("gives a function for each kind, and the error that checks throw", () => {
  expect(Object.keys(face).sort()).toEqual([
    "ConformanceError",
    "dataLoaderConformance",
    "metricConformance",
    "modelConformance",
    "tokenizerConformance",
    "trainerConformance",
  ]);
});

test("importing it loads no test framework", () => {
  const log = join(folder, "log.txt");
  execFileSync(
    process.execPath,
    ["--import", logger.href, "--eval", `import(${JSON.stringify(built.href)})`],
    {
      env: { ...process.env, LOG_IMPORTS_TO: log, NODE_OPTIONS: "" },
    },
  );
  const loaded = readFileSync(log, "utf8").split("\n");
  expect(loaded).toContain(built.href);
  expect(loaded.filter((url) => /vitest|jest|mocha|chai|node:test|node:assert|fast-check/.test(url))).toEqual(
    [],
  );
});

test("making the checks builds nothing; each has a name of its own and a run that takes no argument", () => {
  const build = () => {
    throw new Error("built");
  };
  for (const conformance of [
    face.tokenizerConformance,
    face.modelConformance,
    face.metricConformance,
    face.dataLoaderConformance,
    face.trainerConformance,
  ]) {
    const checks = conformance(build);
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
    // Jest waits for a callback when a test takes an argument.
    expect(checks.filter(({ run }) => run.length > 0)).toEqual([]);
  }
});

const program = (build: string) => `
  import test from "node:test";
  import { metricConformance } from ${JSON.stringify(built.href)};
  const { defineMetric } = await import(${JSON.stringify(new URL("./registry.mjs", built).href)});
  const build = ${build};
  for (const check of metricConformance(build)) test(check.name, check.run);
`;
const share = "({ predictions }) => predictions.length / predictions.flatMap((row) => [...row]).length";

test.each([
  ["passes a right metric", `defineMetric({ create: () => ${share} })`, 0, /# fail 0/],
  [
    "fails a wrong one",
    `defineMetric({ create: () => () => "high" })`,
    1,
    /Its value over 10 sequences is "high"; expected a number/,
  ],
])("in node:test, it %s", (_, build, status, says) => {
  const file = join(folder, `${status}.test.mjs`);
  writeFileSync(file, program(build));
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const result = spawnSync(process.execPath, ["--test", "--test-reporter=tap", file], {
    env,
    encoding: "utf8",
  });
  expect(result.stdout).toMatch(says);
  expect(result.status).toBe(status);
});
