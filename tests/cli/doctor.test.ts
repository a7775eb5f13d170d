/** `plugins doctor` as a process: exit codes, what is printed, and what the code of plugins cannot do to it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Finding } from "../../src/plugins/doctor/finding.ts";
import { Project, removeProjects, repository } from "./project.ts";

afterAll(removeProjects);

const plugin = (name: string, metric: string) =>
  JSON.stringify({
    name,
    version: "1.0.0",
    type: "module",
    exports: { ".": "./index.js" },
    peerDependencies: { "codex-ml": "^0.1.0" },
    codexMl: { "codex_ml.metrics": { [metric]: ".#build" } },
  });

/** A project with plugins: a metric of each, and the module that gives it. */
async function projectOf(modules: Readonly<Record<string, readonly [metric: string, module: string]>>) {
  const dependencies = Object.fromEntries(Object.keys(modules).map((name) => [name, "*"]));
  const files = Object.entries(modules).flatMap(([name, [metric, module]]) => [
    [`node_modules/${name}/package.json`, plugin(name, metric)],
    [`node_modules/${name}/index.js`, module],
  ]);
  const project = await Project.create({
    "package.json": JSON.stringify({ name: "project", private: true, dependencies }),
    ...Object.fromEntries(files),
  });
  await project.linkCodexMl();
  return project;
}

const sound = "export const build = () => () => 1;";

describe.concurrent("plugins doctor", () => {
  test("finds nothing in a sound project, and exits with 0", async () => {
    const project = await projectOf({ one: ["one", sound], two: ["two", sound] });
    expect(await project.run(["plugins", "doctor"])).toEqual({
      code: 0,
      stdout: "No problem found: 2 plugins, 2 components.\n",
      stderr: "",
    });
  });

  test("prints severity, subject and code, what is wrong, and the fix; and exits with 1", async () => {
    const project = await projectOf({
      one: ["same", sound],
      two: ["same", sound],
      three: ["perplexity", sound],
    });
    const { code, stdout, stderr } = await project.run(["plugins", "doctor"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toBe(`error    metrics/same  NAME_CONFLICT
         metric "same" is claimed twice: one@1.0.0, .#build and two@1.0.0, .#build
         fix: choose one by a pin in the project's package.json, "codexMl": { "pins": { "metrics/same": "one" } }, or ask for "one/same" or "two/same"

warning  three@1.0.0, metrics/perplexity  SHADOWED
         metric "perplexity" means another one: built into codex-ml@0.1.0
         fix: write "three/perplexity", or pin it: "codexMl": { "pins": { "metrics/perplexity": "three" } }

1 error and 1 warning in 3 plugins, 3 components.
`);
  });

  test("exits with 0 when there are only warnings", async () => {
    const project = await projectOf({ three: ["perplexity", sound] });
    const { code, stdout } = await project.run(["plugins", "doctor"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1 warning in 1 plugin, 1 component\.$/m);
  });

  test("--json has the same as data", async () => {
    const project = await projectOf({
      one: ["same", sound],
      two: ["same", sound],
      three: ["perplexity", sound],
    });
    const { code, stdout } = await project.run(["plugins", "doctor", "--json"]);
    expect(code).toBe(1);
    const { findings, ...rest } = JSON.parse(stdout) as { findings: Finding[] };
    expect(rest).toEqual({ ok: false, root: project.directory, plugins: 3, components: 3 });
    expect(findings.map((finding) => [finding.code, finding.severity, finding.component])).toEqual([
      ["NAME_CONFLICT", "error", "metrics/same"],
      ["SHADOWED", "warning", "metrics/perplexity"],
    ]);
    for (const { message, fix } of findings) expect([message, fix]).not.toContain(undefined);
  });

  test("loads what is installed only with --load", async () => {
    const project = await projectOf({ torn: ["torn", 'throw new Error("torn to pieces");'] });
    expect(await project.run(["plugins", "doctor"])).toMatchObject({ code: 0 });
    const { code, stdout } = await project.run(["plugins", "doctor", "--load"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^error +torn@1\.0\.0, metrics\/torn +LOAD_FAILED\n +.*torn to pieces\n +fix: /m);
  });

  test("a component that prints does not get between the JSON", async () => {
    const project = await projectOf({ loud: ["loud", `console.log("hello");${sound}`] });
    const { code, stdout, stderr } = await project.run(["plugins", "doctor", "--load", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "hello\n" });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, components: 1, findings: [] });
  });

  test("a component that ends the process does not make it look well", async () => {
    const project = await projectOf({ exits: ["exits", `process.exit(0);${sound}`] });
    const { code, stdout, stderr } = await project.run(["plugins", "doctor", "--load"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/ended the process/);
  });

  test("a component that keeps the process alive does not keep the doctor", async () => {
    const project = await projectOf({ alive: ["alive", `setInterval(() => {}, 1000);${sound}`] });
    expect(await project.run(["plugins", "doctor", "--load"])).toMatchObject({ code: 0 });
  });

  test("CODEX_ML_PLUGINS=off is mentioned", async () => {
    const project = await projectOf({ one: ["same", sound], two: ["same", sound] });
    const { code, stdout } = await project.run(["plugins", "doctor"], { env: { CODEX_ML_PLUGINS: "off" } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^note .*PLUGINS_OFF$/m);
    expect(stdout).toMatch(/CODEX_ML_PLUGINS=off/);
    expect(stdout).toMatch(/^No problem found: 0 plugins, 0 components\.$/m);
  });

  test.each(readdirSync(join(repository, "examples/plugins")))(
    "%s is ready to be published",
    async (name) => {
      const project = await Project.create();
      const cwd = join(repository, "examples/plugins", name);
      const { code, stdout } = await project.run(["plugins", "doctor"], { cwd });
      expect(code, stdout).toBe(0);
      expect(stdout).toMatch(
        new RegExp(`^${name}@0\\.1\\.0 is checked as a package to be published\\.$`, "m"),
      );
      expect(stdout).toMatch(/^No problem found: 1 plugin, 1 component\.$/m);
    },
  );

  test("this repository has nothing found", async () => {
    const project = await Project.create();
    const { code, stdout } = await project.run(["plugins", "doctor", "--load"], { cwd: repository });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "No problem found: 5 plugins, 5 components.\n" });
  });

  test("a plugin package that lacks what its users need is told so", async () => {
    const project = await Project.create({ "package.json": plugin("bare", "bare"), "index.js": sound });
    await project.linkCodexMl();
    const { code, stdout } = await project.run(["plugins", "doctor"]);
    expect(code).toBe(0);
    const codes = [...stdout.matchAll(/^warning .* (\w+)$/gm)].map(([, found]) => found);
    expect(codes).toEqual([
      "PACKAGE_JSON_HIDDEN",
      "KEYWORD_MISSING",
      "LICENSE_MISSING",
      "DESCRIPTION_MISSING",
      "README_MISSING",
    ]);
    expect(stdout).toMatch(/^5 warnings in 1 plugin, 1 component\.$/m);
  });
});
