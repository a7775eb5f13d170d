/** A project full of broken plugins: every command that does not ask for one works, and the broken ones are listed. */
import { mkdir, symlink } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ofType, Project, parseEvents, removeProjects } from "./project.ts";
import { corpus, tinyYaml } from "./tiny.ts";

const sound = "export const build = () => () => 42;";

/** Broken when they are asked for: manifest by manifest they look well. What is said when somebody does ask. */
const brokenCode: Readonly<Record<string, [code: string, said: RegExp]>> = {
  throws_at_import: ['throw new Error("no licence found");', /Could not load .*: no licence found/],
  throws_in_factory: [
    'export const build = () => { throw new TypeError("no luck"); };',
    /Could not build .*: TypeError: no luck/,
  ],
  exits: ["export const build = () => Promise.reject(undefined);", /Could not build .*: undefined/],
  no_export: ["export const bild = () => () => 1;", /no export "build"\. Did you mean "bild"\?/],
  no_factory: ["export const build = 7;", /7 is no factory/],
  no_syntax: ["export const build = () => () => ;", /SyntaxError/],
  no_module: ['import "not-there"; export const build = 1;', /Cannot find package 'not-there'/],
  never_settles: [`await new Promise(() => {}); ${sound}`, /has not settled after 0\.5 s/],
  gives_nothing: [
    "export const build = () => undefined;",
    /breaks the contract of a metric: it returned undefined/,
  ],
  gives_too_little: ["export const build = () => ({ compute: 1 });", /breaks the contract/],
};

/** Broken as they lie there: the `package.json`, and what is listed of it. */
const brokenManifests: Readonly<Record<string, [text: string, listed: RegExp]>> = {
  truncated: ['{ "name": "truncated", "codexMl": {', /truncated: cannot read .*package\.json: SyntaxError/],
  empty: ["", /empty: cannot read .*package\.json/],
  "a-list": ["[1, 2]", /a-list: cannot read .*holds a JSON object/],
  "a-null": ["null", /a-null: cannot read/],
  "codexml-is-text": ['{ "codexMl": "./x.js" }', /"codexMl" is an object of groups, not "\.\/x\.js"/],
  "another-version": [
    '{ "peerDependencies": { "codex-ml": "^99.0.0" }, "codexMl": { "codex_ml.metrics": { "future": "." } } }',
    /another-version: needs codex-ml \^99\.0\.0/,
  ],
  unbuilt: [
    '{ "exports": { ".": "./dist/index.js" }, "codexMl": { "codex_ml.metrics": { "unbuilt": ".#build" } } }',
    /unbuilt: .*there is no file .*has the package been built/,
  ],
  "no-such-subpath": [
    '{ "exports": { "./x": "./index.js" }, "codexMl": { "codex_ml.metrics": { "no_subpath": ".#build" } } }',
    /no-such-subpath: .*"exports" do not give "\."/,
  ],
  "odd-exports": [
    '{ "exports": 7, "codexMl": { "codex_ml.metrics": { "odd_exports": ".#build" } } }',
    /odd-exports: codex_ml\.metrics, "odd_exports": /,
  ],
};

const names = [...Object.keys(brokenCode), ...Object.keys(brokenManifests)];

let project: Project;
beforeAll(async () => {
  const packages = Object.entries(brokenCode).flatMap(([name, [code]]) => {
    const codexMl = { "codex_ml.metrics": { [name]: "./index.js#build" } };
    return [
      [
        `node_modules/${name}/package.json`,
        JSON.stringify({ name, version: "0.0.1", type: "module", codexMl }),
      ],
      [`node_modules/${name}/index.js`, code],
    ];
  });
  const manifests = Object.entries(brokenManifests).map(([name, [text]]) => [
    `node_modules/${name}/package.json`,
    text,
  ]);
  const dependencies = [...names, "sound", "dangling", "a-loop", "a-folder", "not-installed"];
  project = await Project.create({
    "corpus.txt": corpus,
    "tale.yaml": tinyYaml.replace("[perplexity,", "[perplexity, sound,"),
    "package.json": JSON.stringify({
      dependencies: Object.fromEntries(dependencies.map((name) => [name, "*"])),
    }),
    "node_modules/sound/package.json":
      '{ "type": "module", "codexMl": { "codex_ml.metrics": { "sound": "./index.js#build" } } }',
    "node_modules/sound/index.js": sound,
    ...Object.fromEntries([...packages, ...manifests]),
  });
  await symlink("../gone", project.path("node_modules/dangling"), "dir");
  await symlink("a-loop", project.path("node_modules/a-loop"), "dir");
  await mkdir(project.path("node_modules/a-folder/package.json"), { recursive: true });
  await project.train("tale.yaml", "--out", "run");
});
afterAll(removeProjects);

/** What a process must print and never end with: it runs for seconds at most, so nothing of the stuck one was imported. */
const works = async (...args: string[]) => {
  const { code, stdout, stderr } = await project.run(args);
  expect(code, stderr).toBe(0);
  return { stdout, stderr };
};

describe.concurrent("beside broken plugins", () => {
  test.each([["--version"], ["--help"], ["plugins", "--help"], ["train", "--help"]])(
    "%s %s works",
    async (...args) => {
      const { stdout, stderr } = await works(...args);
      expect(stdout).toMatch(/\d+\.\d+|Usage: /);
      expect(stderr).toBe("");
    },
  );

  test("plugins list has the sound one, and each broken one with what is wrong", async () => {
    const { stdout } = await works("plugins", "list", "--kind", "metrics");
    expect(stdout).toMatch(/^ {2}sound +sound, \.\/index\.js#build$/m);
    const problems = stdout.slice(stdout.indexOf("\nproblems\n")).split("\n  ! ").slice(1);
    for (const [name, [, listed]] of Object.entries(brokenManifests))
      expect(
        problems.filter((problem) => listed.test(problem)),
        name,
      ).toHaveLength(1);
    for (const name of ["dangling", "a-loop", "not-installed"])
      expect(
        problems.filter((problem) => problem.startsWith(`${name}: not installed`)),
        name,
      ).toHaveLength(1);
    expect(problems.filter((problem) => problem.startsWith("a-folder: cannot read"))).toHaveLength(1);
    expect(problems).toHaveLength(Object.keys(brokenManifests).length + 4);
    for (const name of Object.keys(brokenCode)) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
  });

  test("plugins inspect of the sound one and of a built-in work", async () => {
    expect((await works("plugins", "inspect", "metrics/sound")).stdout).toMatch(/import +works/);
    expect((await works("plugins", "inspect", "models/gpt2")).stdout).toMatch(/import +works/);
  });

  test("training, evaluating and generating with the sound one work", async () => {
    const { stdout } = await works("evaluate", "run", "--json");
    expect(ofType(parseEvents(stdout), "evaluation")[0]?.metrics).toMatchObject({ sound: 42 });
    await works("generate", "run", "--prompt", "the ", "--max-new-tokens", "2");
  });

  test.each(Object.keys(brokenCode))(
    "%s fails alone: whoever names it is told, with its package",
    async (name) => {
      const [, said] = brokenCode[name] ?? [];
      const args = ["train", "tale.yaml", "--set", `metrics=[sound, ${name}]`, "--out", `out-${name}`];
      const { code, stdout, stderr } = await project.run(args, { env: { CODEX_ML_IMPORT_TIMEOUT: "0.5" } });
      expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(said as RegExp);
      expect(stderr).toContain(`${name}@0.0.1`);
      expect(stderr).toContain("--set metrics[1]");
      expect(await project.files()).not.toContain(`out-${name}`);
    },
  );
});

test("a project whose own package.json is no JSON can still use the built-ins, and is told", async () => {
  const torn = await Project.create({ "package.json": "{", "corpus.txt": corpus, "tale.yaml": tinyYaml });
  const listing = await torn.run(["plugins", "list"]);
  expect(listing.code).toBe(0);
  expect(listing.stdout).toMatch(/^ {2}! cannot read .*package\.json: SyntaxError/m);
  const { code, stderr } = await torn.run(["train", "tale.yaml", "--set", "trainer.maxSteps=1"]);
  expect(code, stderr).toBe(0);
  expect((await torn.run(["--version"])).code).toBe(0);
});
