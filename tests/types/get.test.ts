/** Typed use of `get…` from the built package; `get.types.ts` has the cases that `tsc` checks in the sources. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("a project that declares a package's factory gets its types from the built package, and errors for wrong options", async () => {
  const repository = resolve(import.meta.dirname, "../..");
  const project = await mkdtemp(join(tmpdir(), "codex-ml-types-"));
  try {
    await mkdir(join(project, "node_modules"));
    await symlink(repository, join(project, "node_modules", "codex-ml"), "dir");
    await symlink(join(repository, "node_modules", "@types"), join(project, "node_modules", "@types"), "dir");
    await writeFile(join(project, "package.json"), '{ "type": "module" }');
    await writeFile(
      join(project, "use.ts"),
      `import { getMetric } from "codex-ml/registry";
declare global { namespace CodexMl { interface Metrics { toy: (options: { smooth: boolean }) => () => number } } }
await getMetric("toy", { smooth: true });
await getMetric("toy", { smoth: true });
await getMetric("perplexity");
await getMetric("unknown", { a: 1 });
`,
    );
    const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck"];
    const args = [
      join(repository, "node_modules/typescript/bin/tsc"),
      ...options,
      "--lib",
      "es2023,esnext.disposable,dom",
      "--types",
      "node",
      "use.ts",
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: project }).catch(
      (error) => error,
    );
    const errors = String(stdout)
      .split("\n")
      .filter((line) => line.includes("error TS"));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(
      /^use\.ts\(4,\d+\): error TS2561.*smoth.*smooth|^use\.ts\(4,\d+\): error TS2353.*smoth/,
    );
  } finally {
    await rm(project, { recursive: true, force: true });
  }
});
