/** `plugins inspect`: one component, whether it can be imported, and the options that it takes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, removeProjects } from "./project.ts";

/** A package whose components fail in one way each, and one that claims what others have. */
const torn = {
  "node_modules/torn/package.json": JSON.stringify({
    name: "torn",
    version: "0.0.1",
    type: "module",
    exports: { "./*": "./lib/*.js", "./*.cjs": "./lib/*.cjs" },
    codexMl: {
      "codex_ml.metrics": {
        deep: "./deep#build",
        through_another: "./through#build",
        in_another: "./in#build",
        syntax: "./syntax#build",
        syntax_cjs: "./syntax.cjs#build",
        no_export: "./deep-thrower#bild",
        text: "./text#build",
        unbuilt: "./unbuilt#build",
      },
    },
  }),
  "node_modules/torn/lib/deep.js": 'import { fail } from "./deep-thrower.js";\n\nfail();\n',
  "node_modules/torn/lib/deep-thrower.js":
    "export const fail = () => {\n  // two lines below\n\n  throw new TypeError('no\\ncucumber');\n};\n",
  "node_modules/torn/lib/through.js": 'import { bite } from "toothless/index.js";\n\n\n\nbite();\n',
  "node_modules/torn/lib/in.js": '\nimport "toothless/throws.js";\n',
  "node_modules/torn/lib/syntax.js": "export const build = () =>\n  () => ;\n",
  "node_modules/torn/lib/syntax.cjs": "\n\nexports.build = {;\n",
  "node_modules/torn/lib/text.js": "throw 'only text';\n",
  "node_modules/toothless/package.json": '{ "name": "toothless", "type": "module" }',
  "node_modules/toothless/index.js": "export const bite = () => { throw new Error('no teeth'); };\n",
  "node_modules/toothless/throws.js": "throw new Error('no gums');\n",
  "node_modules/rival/package.json": JSON.stringify({
    name: "rival",
    version: "2.0.0",
    codexMl: { "codex_ml.metrics": { contested: "./index.js#build" } },
  }),
  "node_modules/rival/index.js": "exports.build = () => () => 1;\n",
};

let project: Project;

beforeAll(async () => {
  project = await Project.create({
    "package.json": JSON.stringify({
      name: "own-project",
      version: "3.2.1",
      type: "module",
      dependencies: { torn: "*", toothless: "*", rival: "*" },
      codexMl: {
        "codex_ml.metrics": {
          described: "./described.js",
          perplexity: "./described.js",
          contested: { target: "./described.js", aliases: ["cc", "ppl"] },
          thrower: { target: "./thrower.js", aliases: ["boom"], description: "Never works." },
        },
      },
    }),
    "described.js": "export default () => ({ predictions }) => predictions.length;\n",
    "thrower.js": "throw new Error('no cucumber left');\n",
    ...torn,
  });
});

afterAll(removeProjects);

describe("plugins inspect", () => {
  test("lists the options of a component with type, default and meaning", async () => {
    const { code, stdout } = await project.run(["plugins", "inspect", "trainers/causal_lm"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^trainers\/causal_lm {2}Next-token prediction/);
    expect(stdout).toMatch(
      /^ {2}maxSteps +integer ≥ 1 +Optimizer updates to do\. Give this or numTrainEpochs\.$/m,
    );
    expect(stdout).toMatch(/^ {2}batchSize +integer ≥ 1 +16 +Sequences of one forward pass\.$/m);
    const text = await project.run(["plugins", "inspect", "data_loaders/text"]);
    expect(text.stdout).toMatch(/^ {2}path +.* required +A file, a folder/m);
  });

  test("says where a package declares a component, and that it does not describe its options", async () => {
    const { code, stdout } = await project.run(["plugins", "inspect", "metrics/described"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}origin +own-project@3\.2\.1$/m);
    expect(stdout).toMatch(/^ {2}declared in +package\.json$/m);
    expect(stdout).toMatch(/^ {2}target +\.\/described\.js$/m);
    expect(stdout).toMatch(/^ {2}file +described\.js$/m);
    expect(stdout).toMatch(/import +works/);
    expect(stdout).toContain("does not describe its options");
  });

  test("shows the path of a package's file from the working directory, and whole from elsewhere", async () => {
    const below = await project.run(["plugins", "inspect", "metrics/in_another"]);
    expect(below.stdout).toMatch(/^ {2}declared in +node_modules\/torn\/package\.json$/m);
    expect(below.stdout).toMatch(/^ {2}target +\.\/in#build$/m);
    expect(below.stdout).toMatch(/^ {2}file +node_modules\/torn\/lib\/in\.js$/m);
    const cwd = project.path("node_modules");
    const elsewhere = await project.run(["plugins", "inspect", "metrics/described"], { cwd });
    expect(elsewhere.stdout).toContain(`  file         ${project.path("described.js")}\n`);
    const { stdout } = await project.run(["plugins", "inspect", "metrics/in_another", "--json"]);
    expect(JSON.parse(stdout).file).toBe(project.path("node_modules/torn/lib/in.js"));
  });

  test("shows what a name shadows and what shadows it, and reaches that as package/name", async () => {
    const builtin = await project.run(["plugins", "inspect", "metrics/ppl"]);
    expect(builtin.stdout).toMatch(/^ {2}origin +built into codex-ml@/m);
    expect(builtin.stdout).toMatch(/^ {2}aliases +ppl$/m);
    expect(builtin.stdout).toMatch(
      /^ {2}shadows +own-project@3\.2\.1, \.\/described\.js\n {15}ppl: own-project@3\.2\.1, \.\/described\.js\n/m,
    );
    expect(builtin.stdout).not.toContain("shadowed by");
    const own = await project.run(["plugins", "inspect", "metrics/own-project/perplexity"]);
    expect(own.stdout).toMatch(/^ {2}origin +own-project@3\.2\.1$/m);
    expect(own.stdout).toMatch(/^ {2}shadowed by +built into codex-ml@\S+$/m);
    expect(own.stdout).not.toContain("shadows");
  });

  test("shows who has an equal right to a name, and who answers for an alias in its place", async () => {
    const own = await project.run(["plugins", "inspect", "metrics/own-project/contested"]);
    expect(own.stdout).toMatch(/^ {2}aliases +cc, ppl$/m);
    expect(own.stdout).toMatch(/^ {2}shadowed by +ppl: built into codex-ml@\S+$/m);
    expect(own.stdout).toMatch(/^ {2}conflicts +rival@2\.0\.0, \.\/index\.js#build$/m);
    const { stdout } = await project.run(["plugins", "inspect", "metrics/rival/contested", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      shadows: [],
      shadowedBy: [],
      conflicts: [{ name: "contested", origin: { package: "own-project", version: "3.2.1" } }],
    });
    const bare = await project.run(["plugins", "inspect", "metrics/contested"]);
    expect(bare.code).toBe(2);
    expect(bare.stderr).toMatch(/claimed twice: own-project@3\.2\.1.* and rival@2\.0\.0/);
  });

  test.each([
    [
      "where the package throws, though another of its modules was asked for",
      "deep",
      "torn/lib/deep-thrower.js:4",
    ],
    [
      "where the package calls what throws, when that is not its own",
      "through_another",
      "torn/lib/through.js:5",
    ],
    ["where a module cannot be parsed", "syntax", "torn/lib/syntax.js:2"],
    ["where a CommonJS module cannot be parsed", "syntax_cjs", "torn/lib/syntax.cjs:3"],
  ])("says %s", async (_, name, place) => {
    const { code, stdout } = await project.run(["plugins", "inspect", `metrics/${name}`]);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^ {2}failed at +node_modules/${place}$`, "m"));
    expect(stdout).not.toContain("options");
    const json = await project.run(["plugins", "inspect", `metrics/${name}`, "--json"]);
    expect(JSON.parse(json.stdout).failedAt).toBe(project.path("node_modules", place));
  });

  test.each(["in_another", "no_export", "text", "unbuilt"])(
    "says no place where none is in the package: %s",
    async (name) => {
      const { code, stdout } = await project.run(["plugins", "inspect", `metrics/${name}`]);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^ {2}import +Could not load metric .*torn@0\.0\.1/m);
      expect(stdout).not.toContain("failed at");
      expect(stdout.includes("  file ")).toBe(name !== "unbuilt");
    },
  );

  test("exits with 1 and the reason when a component cannot be imported", async () => {
    const { code, stdout } = await project.run(["plugins", "inspect", "metrics/boom"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/aliases +boom/);
    expect(stdout).toMatch(/import .*no cucumber left/s);
  });

  test("--json has the same", async () => {
    const { stdout } = await project.run(["plugins", "inspect", "metrics/thrower", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: "metrics",
      name: "thrower",
      description: "Never works.",
      origin: { package: "own-project", version: "3.2.1", status: "failed" },
      shadows: [],
      shadowedBy: [],
      file: project.path("thrower.js"),
      failure: expect.stringContaining("no cucumber left"),
      failedAt: project.path("thrower.js:1"),
    });
  });

  test.each([
    ["perplexity", /write kind\/name/],
    ["metric/perplexity", /The kinds are tokenizers/],
    ["metrics/perplexty", /Did you mean "perplexity"/],
  ])("%s is asked wrongly", async (reference, message) => {
    const { code, stderr } = await project.run(["plugins", "inspect", reference]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
