/** Keys that lead to prototypes, from every door of the command line: refused by name, and no object is the worse for it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project, removeProjects } from "./project.ts";
import { corpus, tinyRun, tinyYaml } from "./tiny.ts";

/** Loaded into every process: says at its end whether `Object.prototype` or `Array.prototype` has grown. */
const watch = `
  const prototypes = { Object: Object.prototype, Array: Array.prototype, Function: Function.prototype };
  const before = Object.fromEntries(Object.entries(prototypes).map(([name, one]) => [name, Reflect.ownKeys(one)]));
  process.on("exit", () => {
    for (const [name, one] of Object.entries(prototypes))
      for (const key of Reflect.ownKeys(one)) if (!before[name].includes(key)) console.error("POLLUTED", name, key);
  });`;

/** A metric that merges its options over its defaults as many packages do, and follows `__proto__`. */
const merging = `
  const merge = (into, from) => {
    for (const [key, value] of Object.entries(from))
      if (typeof value === "object" && value !== null) merge((into[key] ??= {}), value);
      else into[key] = value;
    return into;
  };
  export const build = (options) => {
    const { size } = merge({ size: 1 }, options);
    return () => size;
  };`;

let project: Project;
beforeAll(async () => {
  project = await Project.create({
    "watch.mjs": watch,
    "corpus.txt": corpus,
    "tale.yaml": tinyYaml,
    "package.json": '{ "name": "own-project", "type": "module", "dependencies": { "merging": "*" } }',
    "node_modules/merging/package.json":
      '{ "name": "merging", "type": "module", "codexMl": { "codex_ml.metrics": { "merging": "./index.js#build" } } }',
    "node_modules/merging/index.js": merging,
  });
});
afterAll(removeProjects);

const guarded = (args: readonly string[]) =>
  project.run(args, { node: ["--import", project.path("watch.mjs")] });

/** What is said of a run that must be refused, with nothing made and nothing polluted. */
async function refused(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await guarded(args);
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
  expect(stderr).not.toContain("POLLUTED");
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect((await project.files()).filter((path) => path.startsWith("runs"))).toEqual([]);
  return stderr;
}

test.each([
  ["__proto__.x=1", /--set __proto__: unknown key/],
  ["constructor.prototype.x=1", /--set constructor: unknown key/],
  ["prototype.x=1", /--set prototype: unknown key/],
  ["model.__proto__.x=1", /--set model\.__proto__: .*leads to the prototype of every object/],
  ["model.constructor.prototype.x=1", /--set model\.constructor: .*leads to the prototype of every object/],
  [
    "metrics.3={ name: merging, __proto__: { x: 1 } }",
    /--set metrics\[3\]\.__proto__: .*leads to the prototype/,
  ],
  ["plugins.pins.__proto__.x=1", /--set plugins\.pins\.__proto__: /],
  ['tokenizer={ "__proto__": { "name": "byte" } }', /--set tokenizer: missing `name`/],
])("--set %s is refused by that name", async (assignment, message) => {
  expect(await refused(["train", "tale.yaml", "--set", assignment])).toMatch(message);
});

test.each([
  ["proto.yaml", `${tinyYaml}__proto__: { x: 1 }\n`, /proto\.yaml:18:1: __proto__: unknown key/],
  [
    "deep.yaml",
    tinyYaml.replace("[perplexity,", "[{ name: merging, inner: [{ __proto__: { x: 1 } }] },"),
    /deep\.yaml:17:\d+: metrics\[0\]\.inner\[0\]\.__proto__: .*leads to the prototype of every object/,
  ],
  [
    "proto.json",
    JSON.stringify(tinyRun).replace("{", '{ "__proto__": { "x": 1 }, '),
    /proto\.json:1:3: __proto__: unknown key/,
  ],
  [
    "slot.json",
    JSON.stringify(tinyRun).replace('"hiddenSize"', '"__proto__": { "x": 1 }, "hiddenSize"'),
    /slot\.json:1:\d+: model\.__proto__: .*leads to the prototype of every object/,
  ],
  [
    "parsed.ts",
    `export default { ...${JSON.stringify(tinyRun)}, metrics: [{ name: "merging", ...JSON.parse('{ "constructor": { "prototype": { "x": 1 } } }') }] };`,
    /parsed\.ts: metrics\[0\]\.constructor: .*leads to the prototype of every object/,
  ],
])("a run file with such a key is refused by its place: %s", async (file, text, message) => {
  await project.write(file, text);
  expect(await refused(["train", file])).toMatch(message);
});

test("the watch sees what a package's own merge would do, so that the tests above can fail", async () => {
  await project.write(
    "polluting.mjs",
    `import { build } from "merging/index.js"; build(JSON.parse('{ "__proto__": { "x": 1 } }'));`,
  );
  const { stderr } = await guarded(["plugins", "list", "--import", "polluting.mjs"]);
  expect(stderr).toContain("POLLUTED Object x");
});

test("manifests with such keys list as problems and pollute nothing; the rest is listed", async () => {
  const hostile = await Project.create({
    "watch.mjs": watch,
    "package.json": `{ "__proto__": { "x": 1 }, "dependencies": { "__proto__": "*", "constructor": "*", "sound": "*" },
      "codexMl": { "__proto__": { "x": 1 }, "pins": { "__proto__": "x", "metrics/__proto__": "x" } } }`,
    "node_modules/sound/package.json":
      '{ "name": "sound", "codexMl": { "codex_ml.metrics": { "sound": "./index.js", "__proto__": "./index.js" } } }',
    "node_modules/sound/index.js": "module.exports = () => () => 1;",
  });
  const { code, stdout, stderr } = await hostile.run(["plugins", "list", "--kind", "metrics"], {
    node: ["--import", hostile.path("watch.mjs")],
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^ {2}sound /m);
  for (const part of ['unknown key "__proto__"', 'the pin "__proto__"', 'codex_ml.metrics, "__proto__": '])
    expect(stdout).toContain(part);
});
