/** `codex-ml config check|explain|schema`. */
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { Project, removeProjects } from "./project.ts";
import { corpus, tinyYaml } from "./tiny.ts";

afterEach(removeProjects);
afterAll(removeProjects);

/** A mistake at each level, so that each would hide the ones below it from whoever stops at the first. */
const bad = `seed: x
tokenizer: { name: bpe, vocabSiz: 1024 }
data: { name: text, path: corpus.txt, validation: 2 }
model: { name: gpt2, hiddenSize: 100, numAttentionHeads: 3 }
trianer: { name: causal_lm, maxSteps: 10, learningRat: 1 }
metrics: [perplexit, 3, { name: token_accuracy, k: 1 }]
imports: [./absent.ts]
`;

const files = { "corpus.txt": corpus, "run.yaml": tinyYaml, "bad.yaml": bad };

describe("check", () => {
  test("of a file without mistakes says what it trains", async () => {
    const project = await Project.create(files);
    expect(await project.run(["config", "check", "run.yaml"])).toEqual({
      code: 0,
      stdout:
        "ok  run.yaml: causal_lm trains gpt2 on text with the tokenizer byte; metrics: perplexity, bits_per_byte, token_accuracy\n",
      stderr: "",
    });
    expect((await project.files()).filter((file) => file.startsWith("runs"))).toEqual([]);
  });

  test("tells all mistakes at once, each with its place", async () => {
    const project = await Project.create(files);
    const { code, stdout, stderr } = await project.run([
      "config",
      "check",
      "bad.yaml",
      "--set",
      "directory=3",
    ]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    const lines = stderr.split("\n").filter((line) => line.startsWith("error"));
    expect(lines.map((line) => line.replace(/^error +/, "").slice(0, 72))).toEqual([
      'bad.yaml:5:1: trianer: unknown key; did you mean "trainer"?',
      'bad.yaml:1:7: seed: expected a whole number from 0, got "x"',
      "--set directory: expected the path of a folder, got 3",
      "bad.yaml:6:22: metrics[1]: expected the name of a metric, or `{ name: …,",
      expect.stringMatching(/^bad.yaml:7:11: imports\[0\]: cannot import .\/absent.ts/),
      'bad.yaml:2:25: tokenizer.vocabSiz: unknown option; did you mean "vocabSi',
      "bad.yaml:3:51: data.validation: Too big: expected number to be <1 (got 2",
      "bad.yaml:4:58: model.numAttentionHeads: must divide hiddenSize (got 3)",
      'bad.yaml:5:43: trianer.learningRat: unknown option; did you mean "learni',
      expect.stringMatching(/^bad.yaml:6:11: metrics\[0\]: There is no metric "perplexit"/),
      "bad.yaml:6:49: metrics[2].k: unknown option (got 1)",
    ]);
  });

  test("agrees with train, which creates nothing then", async () => {
    const project = await Project.create(files);
    const check = await project.run(["config", "check", "bad.yaml"]);
    const train = await project.run(["train", "bad.yaml", "--out", "out"]);
    expect(train).toEqual(check);
    expect(await project.files()).not.toContain("out");
  });

  test("with --json gives the problems as data", async () => {
    const project = await Project.create(files);
    const { code, stdout, stderr } = await project.run(["config", "check", "bad.yaml", "--json"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    const { ok, problems } = JSON.parse(stdout);
    expect(ok).toBe(false);
    expect(problems).toContainEqual({
      ...{ file: "bad.yaml", line: 2, column: 25, path: ["tokenizer", "vocabSiz"] },
      ...{ message: "unknown option", closest: "vocabSize" },
    });
    const good = await project.run(["config", "check", "run.yaml", "--json"]);
    expect(good).toEqual({ code: 0, stdout: '{"ok":true,"problems":[]}\n', stderr: "" });
  });

  test("loads neither the engine nor what calls it, which would take longer than all the rest", async () => {
    const hooks = `import { writeSync } from "node:fs";
      export async function load(url, context, next) { writeSync(2, url + "\\n"); return next(url, context); }`;
    const project = await Project.create({
      ...files,
      "hooks.mjs": hooks,
      "loader.mjs": 'import { register } from "node:module"; register("./hooks.mjs", import.meta.url);',
    });
    const node = ["--import", project.path("loader.mjs")];
    const loaded = await project.run(["config", "check", "run.yaml"], { node });
    expect(loaded.code).toBe(0);
    expect(loaded.stderr).toMatch(/cli\.mjs/);
    expect(loaded.stderr).not.toMatch(/koffi|protobuf|\/zod\//);
    const { stderr } = await project.run(["train", "run.yaml", "--set", "trainer.maxSteps=1"], { node });
    expect(stderr).toMatch(/koffi/);
  });

  test("of no file, and of a file that is no run", async () => {
    const project = await Project.create(files);
    expect(await project.run(["config", "check", "rum.yaml"])).toEqual({
      ...{
        code: 2,
        stdout: "",
        stderr: 'error  rum.yaml: there is no such file; did you mean "run.yaml"?\n',
      },
    });
    const { code, stdout } = await project.run(["config", "check", "corpus.txt", "--json"]);
    expect({ code, ok: JSON.parse(stdout).ok }).toEqual({ code: 2, ok: false });
  });
});

describe("explain", () => {
  const layered = {
    ...files,
    "child.yaml":
      "extends: ./run.yaml\nmodel: { hiddenSize: 32 }\ntrainer: { maxSteps: null, numTrainEpochs: 2 }\n",
  };

  async function explained(project: Project, ...args: string[]) {
    const { code, stdout, stderr } = await project.run(["config", "explain", ...args, "--json"], {
      env: { CODEX_ML_THREADS: "1", CODEX_ML_PLUGINS: "off" },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { values, environment } = JSON.parse(stdout) as {
      values: { path: string; value: unknown; source: object }[];
      environment: unknown[];
    };
    return { environment, by: Object.fromEntries(values.map(({ path, ...rest }) => [path, rest])) };
  }

  test("says of each value where it comes from", async () => {
    const project = await Project.create(layered);
    const { by, environment } = await explained(project, "child.yaml", "--set", "trainer.batchSize=2");
    expect(by).toMatchObject({
      seed: { value: 1337, source: { from: "file", file: "run.yaml", line: 1, column: 7 } },
      "model.name": { value: "gpt2", source: { from: "file", file: "run.yaml", line: 5 } },
      "model.hiddenSize": { value: 32, source: { from: "file", file: "child.yaml", line: 2, column: 22 } },
      "model.dropout": { value: 0, source: { from: "default", of: "models/gpt2" } },
      "model.vocabSize": { value: 257, source: { from: "component", component: "tokenizers/byte" } },
      "trainer.batchSize": { value: 2, source: { from: "set" } },
      "trainer.numTrainEpochs": { source: { file: "child.yaml", line: 3 } },
      "metrics[1].name": { value: "bits_per_byte", source: { file: "run.yaml", line: 17 } },
      plugins: { value: false, source: { from: "environment", variable: "CODEX_ML_PLUGINS" } },
      directory: { value: ".", source: { from: "default" } },
    });
    expect(by).not.toHaveProperty(["trainer.maxSteps"]);
    expect(environment).toContainEqual({
      ...{ variable: "CODEX_ML_THREADS", value: "1", decides: "how many threads compute" },
    });
  });

  test("names the run that a component starts from", async () => {
    const project = await Project.create(layered);
    await project.train("run.yaml", "--out", "first", "--set", "trainer.maxSteps=1");
    const { by } = await explained(
      project,
      ...[
        "run.yaml",
        "--set",
        "model={ name: gpt2, from: first }",
        "--set",
        "tokenizer={ name: byte, from: first }",
      ],
    );
    expect(by["model.hiddenSize"]).toMatchObject({
      ...{
        value: 16,
        source: { from: "run", file: expect.stringContaining("first/run.yaml"), line: expect.any(Number) },
      },
    });
  });

  test("is a table for people, and each value that holds is in it", async () => {
    const project = await Project.create(layered);
    const { code, stdout } = await project.run(["config", "explain", "child.yaml"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^model\.hiddenSize +32 +child\.yaml:2:22$/m);
    expect(stdout).toMatch(/^model\.dropout +0 +default of models\/gpt2$/m);
  });

  test("of a file with mistakes tells those", async () => {
    const project = await Project.create(files);
    const { code, stdout, stderr } = await project.run(["config", "explain", "bad.yaml"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain('did you mean "trainer"?');
  });
});

test("schema goes to stdout, or to a file", async () => {
  const project = await Project.create(files);
  const { code, stdout, stderr } = await project.run(["config", "schema"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { $schema, properties } = JSON.parse(stdout);
  expect($schema).toBe("https://json-schema.org/draft/2020-12/schema");
  expect(Object.keys(properties)).toEqual(expect.arrayContaining(["$schema", "extends", "seed", "model"]));
  expect(await project.run(["config", "schema", "--out", "s.json"])).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
  expect(await project.text("s.json")).toBe(stdout);
});

test("a run of a file that extends another keeps all of it, and goes on by itself", async () => {
  const project = await Project.create({
    ...files,
    "base/run.yaml": tinyYaml.replace("seed: 1337", "seed: 7\ndirectory: .."),
    "child.yaml": "extends: base/run.yaml\ntrainer: { maxSteps: 2, evalSteps: 2, sampleTokens: 0 }\n",
  });
  await project.train("child.yaml", "--out", "out");
  const text = await project.text("out/run.yaml");
  expect(text).not.toContain("extends");
  expect(text).toContain("seed: 7");
  const { code, stderr } = await project.run(["resume", "out", "--set", "trainer.maxSteps=4"]);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  const again = await project.run(["train", "out/run.yaml", "--out", "again"]);
  expect(again.code).toBe(0);
});
