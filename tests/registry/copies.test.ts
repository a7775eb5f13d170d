/** Two of one thing in one process: two copies of codex-ml, two versions of a plugin. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { toJson } from "./packages.ts";
import { Project, repository } from "./project.ts";

const versioned = (version: string, value: number) => ({
  manifest: { name: "plugin", version },
  metrics: { toy: "./index.js#build", [`of_${value}`]: "./index.js#build" },
  files: { "index.js": `export const build = () => () => ${value};` },
});

const projects: Project[] = [];
afterAll(() => {
  for (const project of projects) project.remove();
});
function create(...args: ConstructorParameters<typeof Project>): Project {
  const project = new Project(...args);
  projects.push(project);
  return project;
}

test("two versions of a plugin, under two names: both names are told, and both work by theirs", async () => {
  // `npm install old@npm:plugin@1` gives such a tree.
  const project = create({ plugin: versioned("2.0.0", 2), old: versioned("1.0.0", 1) });
  const program = `
    const { code, message } = await metrics.get("toy").catch((error) => error);
    const values = await Promise.all(["plugin/toy", "old/toy", "of_1", "of_2"].map(compute));
    print({ code, message, values });`;
  expect(await project.run(program)).toEqual({
    code: "REGISTRY_CONFLICT",
    message: expect.stringMatching(/plugin@2\.0\.0[\s\S]*old@1\.0\.0/),
    values: [2, 1, 1, 2],
  });
});

test("the version that another package uses for itself stays out of it", async () => {
  const { manifest, files } = versioned("1.0.0", 1);
  const project = create({
    plugin: versioned("2.0.0", 2),
    parent: {
      files: {
        "index.js": `export { build } from "plugin/index.js";`,
        "node_modules/plugin/package.json": toJson({ ...manifest, type: "module" }),
        "node_modules/plugin/index.js": files["index.js"],
      },
    },
  });
  const program = `
    const { build } = await import("parent/index.js");
    print([build()(), await compute("toy"), metrics.inspect("toy").origin.version, metrics.problems().length]);`;
  expect(await project.run(program)).toEqual([1, 2, "2.0.0", 0]);
});

/** A plugin that brought a codex-ml of its own. */
function withOwnCopy(): Project {
  const project = create({
    brings: {
      metrics: { declared: "./index.js#build", picky: "./index.js#picky" },
      files: {
        "index.js": `
          import { defineMetric, InvalidOptionError, metricRegistry, ownVersion, registerMetric } from "codex-ml/registry";
          registerMetric("registered", () => () => 1);
          export const build = defineMetric({ create: () => () => 2 });
          export const picky = () => { throw new InvalidOptionError("path", "there is no such file"); };
          export const copy = { metricRegistry, version: ownVersion() };`,
      },
    },
  });
  const copy = join(project.directory, "node_modules/brings/node_modules/codex-ml");
  cpSync(join(repository, "dist"), join(copy, "dist"), { recursive: true });
  const exports = { "./registry": "./dist/registry.mjs" };
  project.write({
    [`${copy.slice(project.directory.length)}/package.json`]: toJson({
      name: "codex-ml",
      version: "0.1.99",
      exports,
    }),
  });
  return project;
}

const using = `
  const { code, issues } = await metrics.create("picky", { path: "x" }).catch((error) => error);
  print({
    copies: [registry.ownVersion() !== copy.version, copy.metricRegistry === metrics],
    values: [await compute("declared"), await compute("registered")],
    code,
    issues,
    unknown: (await metrics.get("perplexty").catch((error) => error)).closest,
  });`;

const expected = {
  copies: [true, true],
  values: [2, 1],
  code: "REGISTRY_OPTIONS_INVALID",
  issues: [{ path: ["path"], message: "there is no such file" }],
  unknown: ["perplexity"],
};

test("two copies of codex-ml share the registries: what one registers, defines and throws the other knows", async () => {
  const program = `
    await metrics.get("declared");
    const { copy } = await import("brings/index.js");
    ${using}`;
  expect(await withOwnCopy().run(program)).toEqual(expected);
});

test("the same when the plugin's copy was loaded first", async () => {
  const project = withOwnCopy();
  project.write({ "first.mjs": `export { copy } from "brings/index.js";` });
  // Imports are evaluated in order: by the time that the program's own copy is, the registries are there.
  const program = `const { copy } = await import("./first.mjs"); ${using}`;
  const first = join(project.directory, "first.mjs");
  expect(await project.run(program, { node: ["--import", first] })).toEqual(expected);
});
