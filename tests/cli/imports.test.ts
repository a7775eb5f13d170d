/** `--import` and `imports:`: components that a project registers itself, used from the command line. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, removeProjects } from "./project.ts";
import { corpus, tinyRun } from "./tiny.ts";

const local = `import { registerTokenizer } from "codex-ml/registry";
const letters: string = " \\n.abcdefghijklmnopqrstuvwxyz";
registerTokenizer("letters", () => ({
  vocabSize: letters.length,
  encode: (text: string) => Int32Array.from(text, (letter) => Math.max(0, letters.indexOf(letter))),
  decode: (ids: Iterable<number>) => Array.from(ids, (id) => letters[id]).join(""),
}));
`;

let project: Project;

beforeAll(async () => {
  project = await Project.create({
    "package.json": '{ "name": "own-project", "type": "module" }',
    "data/corpus.txt": corpus,
    "local.ts": local,
    "broken.ts": "throw new Error('no cucumber left');\n",
    "run.json": JSON.stringify({
      ...tinyRun,
      tokenizer: "letters",
      data: { ...tinyRun.data, path: "data/corpus.txt" },
    }),
    "runs.json": JSON.stringify({
      ...tinyRun,
      tokenizer: "letters",
      data: { ...tinyRun.data, path: "data/corpus.txt" },
      imports: ["./local.ts"],
    }),
    "wrong.json": JSON.stringify({
      ...tinyRun,
      data: { ...tinyRun.data, path: "data/corpus.txt" },
      imports: ["./broken.ts"],
    }),
  });
  await project.linkCodexMl();
  expect((await project.run(["train", "runs.json", "--out", "run"])).code).toBe(0);
});

afterAll(removeProjects);

describe("a module of the project", () => {
  test("that a run file imports registers what the run names", async () => {
    const manifest = JSON.parse(await project.text("run/manifest.json"));
    expect(manifest.components[0]).toMatchObject({
      kind: "tokenizer",
      name: "letters",
      origin: expect.stringMatching(/local\.ts/),
    });
  });

  test("trains from the resolved run.yaml to the same bytes, for it is imported from there too", async () => {
    expect((await project.run(["train", "run/run.yaml", "--out", "again"])).code).toBe(0);
    const weights = "checkpoints/step-000012/model.safetensors";
    expect(await project.bytes("again", weights)).toEqual(await project.bytes("run", weights));
  });

  test("that --import names does the same; without it the name is unknown", async () => {
    expect((await project.run(["train", "run.json", "--import", "./local.ts", "--out", "flag"])).code).toBe(
      0,
    );
    const { code, stderr } = await project.run(["train", "run.json"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/There is no tokenizer "letters"/);
  });

  test("is listed by `plugins list --import`, with the place that registered it", async () => {
    const { code, stdout } = await project.run(["plugins", "list", "--import", "local.ts"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/letters .*registered at .*local\.ts:\d+/);
  });

  test("is never imported because a run directory says so; the error names the flag", async () => {
    for (const command of [
      ["evaluate", "run"],
      ["generate", "run", "--prompt", "the "],
    ]) {
      const { code, stderr } = await project.run(command);
      expect(code).toBe(2);
      expect(stderr).toMatch(/There is no tokenizer "letters"/);
      expect(stderr).toContain("--import ./local.ts");
      expect((await project.run([...command, "--import", "./local.ts"])).code).toBe(0);
    }
  });

  test("that throws is named with its reason, and nothing is created", async () => {
    const inFile = await project.run(["train", "wrong.json", "--out", "none"]);
    expect(inFile.code).toBe(2);
    expect(inFile.stderr).toMatch(
      /wrong\.json:1:\d+: imports\[0\]: cannot import \.\/broken\.ts: no cucumber left/,
    );
    const asFlag = await project.run(["train", "run.json", "--import", "broken.ts", "--out", "none"]);
    expect(asFlag.code).toBe(2);
    expect(asFlag.stderr).toMatch(/cannot import broken\.ts: no cucumber left/);
    expect(await project.files()).not.toContain("none/manifest.json");
  });

  test("that is missing is named", async () => {
    const { code, stderr } = await project.run(["plugins", "list", "--import", "absent.ts"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/cannot import absent\.ts/);
  });
});
