/** Targets mean the file that `import "package/subpath"` means: each shape of `exports`, held against Node itself. */
import { afterAll, describe, expect, test } from "vitest";
import { Project, type Written } from "./project.ts";

/** Modules that say which file they are. */
const modules = (...paths: string[]) =>
  Object.fromEntries(
    paths.map((path) => {
      const build = `() => () => ${JSON.stringify(path)}`;
      return [path, path.endsWith(".cjs") ? `exports.build = ${build};` : `export const build = ${build};`];
    }),
  );

/** Packages by name: the target's subpath, the field `exports` (or `main`), the files, and the one that is meant. */
const shapes: Record<string, [string, Record<string, unknown>, string[], string | undefined]> = {
  "a-string": [".", { exports: "./a.js" }, ["a.js"], "a.js"],
  "conditions-alone": [".", { exports: { require: "./b.cjs", import: "./a.js" } }, ["a.js", "b.cjs"], "a.js"],
  "nested-conditions": [
    "./x",
    { exports: { "./x": { browser: "./c.js", node: { require: "./b.cjs", import: "./a.js" } } } },
    ["a.js", "b.cjs", "c.js"],
    "a.js",
  ],
  "types-first": [".", { exports: { ".": { types: "./a.d.ts", default: "./a.js" } } }, ["a.js"], "a.js"],
  "order-decides": [
    ".",
    { exports: { ".": { default: "./a.js", import: "./b.js" } } },
    ["a.js", "b.js"],
    "a.js",
  ],
  "for-addons": [".", { exports: { "node-addons": "./a.js", default: "./b.js" } }, ["a.js", "b.js"], "a.js"],
  "module-sync": [".", { exports: { "module-sync": "./a.js", default: "./b.js" } }, ["a.js", "b.js"], "a.js"],
  "of-its-own": [".", { exports: { custom: "./a.js", default: "./b.js" } }, ["a.js", "b.js"], "b.js"],
  alternatives: [".", { exports: { ".": [{ browser: "./b.js" }, "./a.js"] } }, ["a.js", "b.js"], "a.js"],
  pattern: ["./deep/er", { exports: { "./*": "./lib/*.js" } }, ["lib/deep/er.js"], "lib/deep/er.js"],
  "pattern-with-end": ["./x.js", { exports: { "./*.js": "./lib/*.mjs" } }, ["lib/x.mjs"], "lib/x.mjs"],
  "longest-pattern": [
    "./m/s/x",
    { exports: { "./m/*": "./lib/*.js", "./m/s/*": "./special/*.js" } },
    ["lib/s/x.js", "special/x.js"],
    "special/x.js",
  ],
  "exact-before-pattern": [
    "./m/x",
    { exports: { "./m/*": "./lib/*.js", "./m/x": "./exact.js" } },
    ["lib/x.js", "exact.js"],
    "exact.js",
  ],
  excluded: [
    "./internal/x",
    { exports: { "./*": "./lib/*.js", "./internal/*": null } },
    ["lib/internal/x.js"],
    undefined,
  ],
  "for-require-alone": [".", { exports: { require: "./b.cjs" } }, ["b.cjs"], undefined],
  "no-dot": [".", { exports: { "./x": "./a.js" } }, ["a.js", "index.js"], undefined],
  "exports-before-main": [".", { main: "./b.js", exports: "./a.js" }, ["a.js", "b.js"], "a.js"],
  "main-without-ending": [".", { main: "./lib/a" }, ["lib/a.js"], "lib/a.js"],
  "main-is-a-folder": [".", { main: "./lib" }, ["lib/index.js"], "lib/index.js"],
  "main-missing": [".", { main: "./gone.js" }, ["index.js"], "index.js"],
  "no-main": [".", {}, ["index.js"], "index.js"],
  "a-file": ["./lib/a.cjs", {}, ["lib/a.cjs"], "lib/a.cjs"],
};

const project = new Project({
  ...Object.fromEntries(
    Object.entries(shapes).map(([name, [subpath, manifest, files]]): [string, Written] => [
      name,
      { metrics: { [name]: `${subpath}#build` }, manifest, files: modules(...files) },
    ]),
  ),
  "by-require": {
    manifest: { exports: { import: "./a.js", require: "./a.cjs" } },
    metrics: { "by-require": ".#build" },
    files: modules("a.js", "a.cjs"),
  },
  // What TypeScript and Babel make of `export default`.
  compiled: {
    manifest: { type: "commonjs", main: "./a.js" },
    metrics: { compiled: ".", defined: "./b.js" },
    files: {
      "a.js": `"use strict"; Object.defineProperty(exports, "__esModule", { value: true });
        exports.default = () => () => "compiled";`,
      "b.js": `Object.defineProperty(exports, "__esModule", { value: true });
        exports.default = { create: () => () => "defined" };`,
    },
  },
  assigned: {
    manifest: { type: "commonjs", exports: "./a.js" },
    metrics: { assigned: "." },
    files: { "a.js": `module.exports = () => () => "assigned";` },
  },
});
afterAll(() => project.remove());

const compare = `
  const shapes = ${JSON.stringify(Object.entries(shapes).map(([name, [subpath]]) => [name, subpath]))};
  const outcomes = {};
  for (const [name, subpath] of shapes) {
    const imported = await import(name + subpath.slice(1)).then(({ build }) => build, () => undefined);
    const got = await metrics.get(name).catch(({ code }) => code);
    outcomes[name] = imported === got ? got()() : imported === undefined ? got : "another instance";
  }
  print(outcomes);`;

const meant = Object.fromEntries(
  Object.entries(shapes).map(([name, shape]) => [name, shape[3] ?? "REGISTRY_LOAD_FAILED"]),
);

describe.concurrent("targets", () => {
  test("mean the file that an import of the package means, and are refused where Node refuses", async () => {
    expect(await project.run(compare)).toEqual(meant);
  });

  test("that are refused say what there is instead, though the package has no name of its own", async () => {
    const program = `print(Object.fromEntries(metrics.problems().map(({ package: name, message }) => [name, message])));`;
    expect(await project.run(program)).toEqual({
      "no-dot": expect.stringMatching(/"exports" do not give "\."; they give "\.\/x"$/),
      excluded: expect.stringMatching(/"exports" do not give "\.\/internal\/x"; they give "\.\/\*"$/),
      "for-require-alone": expect.stringMatching(
        /"exports" do not give "\." to an import, only under other conditions$/,
      ),
    });
  });

  test.each([
    [{ node: ["--conditions=custom"] }],
    [{ node: ["--conditions", "custom"] }],
    [{ node: ["-C", "custom"] }],
    [{ env: { NODE_OPTIONS: "--no-warnings --conditions=custom" } }],
  ])("follow the conditions that Node was started with: %j", async (how) => {
    expect(await project.run(compare, how)).toEqual({ ...meant, "of-its-own": "a.js" });
  });

  test("of a dual package mean what import gives, whoever has required the other half before", async () => {
    const program = `
      const { createRequire } = await import("node:module");
      const required = createRequire(import.meta.url)("by-require").build;
      const imported = (await import("by-require")).build;
      const got = await metrics.get("by-require");
      print([got === imported, got === required, got()()]);`;
    expect(await project.run(program)).toEqual([true, false, "a.js"]);
  });

  test("in CommonJS mean module.exports, or the default that a compiler put there", async () => {
    const program = `print(await Promise.all(["assigned", "compiled", "defined"].map(compute)));`;
    expect(await project.run(program)).toEqual(["assigned", "compiled", "defined"]);
  });
});
