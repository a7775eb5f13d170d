import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RunFileError } from "../../src/run/problems.ts";
import { applyOverrides, loadRunFile, runFileFrom } from "../../src/run/run-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "codex-ml-run-file-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const good = `seed: 1
tokenizer: { name: bpe, vocabSize: 1024 }
data:      { name: text, path: ./moby-dick.txt }
model:
  name: gpt2
  hiddenSize: 128
trainer:   causal_lm
metrics:   [perplexity, { name: token_accuracy }]
`;

async function file(text: string | Uint8Array, name = "run.yaml"): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** The problems of loading `text`, as `line:column path: message`, the file's name left out. */
async function problems(
  text: string | Uint8Array,
  name = "run.yaml",
  set: readonly string[] = [],
): Promise<string[]> {
  const path = await file(text, name);
  const error: unknown = await loadRunFile(path, { set }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RunFileError)) throw error ?? new Error("nothing was wrong");
  expect(error.code).toBe("RUN_FILE");
  return error.message
    .replaceAll(`${path}:`, "")
    .split("\n")
    .map((line) => line.trim());
}

describe("what is read", () => {
  test("a YAML file, with its defaults", async () => {
    const path = await file(good.replace("seed: 1\n", "").replace(/metrics.*\n/, ""));
    const run = await loadRunFile(path);
    expect(run).toMatchObject({ path, directory: folder });
    expect(run.config).toEqual({
      format: 1,
      seed: 1337,
      device: "cpu",
      tokenizer: { name: "bpe", options: { vocabSize: 1024 } },
      data: { name: "text", options: { path: "./moby-dick.txt" } },
      model: { name: "gpt2", options: { hiddenSize: 128 } },
      trainer: { name: "causal_lm", options: {} },
      metrics: undefined,
      imports: [],
      plugins: {},
      directory: undefined,
    });
  });

  test("a JSON file, tabs and all, with positions", async () => {
    const json = JSON.stringify(
      { tokenizer: "byte", data: "text", model: "gpt2", trainer: "causal_lm" },
      null,
      "\t",
    );
    const run = await loadRunFile(await file(json, "run.json"));
    expect(run.config.tokenizer).toEqual({ name: "byte", options: {} });
    expect(run.locate(["trainer"])).toEqual({ line: 5, column: 13 });
  });

  test("a TypeScript file, with objects in the slots", async () => {
    const path = await file(
      `interface Options { readonly size: number }
       class Bytes { vocabSize: number; constructor(o: Options) { this.vocabSize = o.size; } encode(t: string) { return [...Buffer.from(t)]; } decode(ids: Iterable<number>) { return Buffer.from([...ids]).toString(); } }
       const halve = ({ predictions }: { predictions: unknown[] }): number => predictions.length / 2;
       export default { tokenizer: new Bytes({ size: 256 }), data: "text", model: "gpt2", trainer: "causal_lm", metrics: [halve] };`,
      "run.ts",
    );
    const run = await loadRunFile(path);
    expect(run.config.tokenizer).toMatchObject({ name: "Bytes", object: { vocabSize: 256 } });
    expect(run.config.metrics).toEqual([{ name: "halve", object: expect.any(Function) }]);
    expect(run.locate(["tokenizer"])).toBeUndefined();
  });

  test("a TypeScript file anew each time", async () => {
    const text = (seed: number): string =>
      `export default { seed: ${seed}, tokenizer: "byte", data: "text", model: "gpt2", trainer: "causal_lm" };`;
    expect((await loadRunFile(await file(text(1), "run.mts"))).config.seed).toBe(1);
    expect((await loadRunFile(await file(text(2), "run.mts"))).config.seed).toBe(2);
  });

  test("a JavaScript file", async () => {
    const path = await file(
      'export default { tokenizer: "byte", data: "text", model: "gpt2", trainer: "causal_lm" };',
      "run.mjs",
    );
    expect((await loadRunFile(path)).config.seed).toBe(1337);
  });

  test("`directory` moves what relative paths refer to", async () => {
    const run = await loadRunFile(await file(`${good}directory: ../corpora\n`));
    expect(run.directory).toBe(join(folder, "../corpora"));
  });

  test("a run from a program, checked like a file", () => {
    const run = runFileFrom(
      { tokenizer: "byte", data: { name: "text" }, model: "gpt2", trainer: "causal_lm" },
      folder,
    );
    expect(run).toMatchObject({ path: undefined, directory: folder });
    expect(() => runFileFrom({ ...run.config, sed: 1 } as never)).toThrow(
      'run: sed: unknown key; did you mean "seed"?',
    );
  });

  test("positions of values and of keys", async () => {
    const { locate } = await loadRunFile(await file(good));
    expect(locate(["model", "hiddenSize"])).toEqual({ line: 6, column: 15 });
    expect(locate(["model", "hiddenSize"], "key")).toEqual({ line: 6, column: 3 });
    expect(locate(["metrics", 1, "name"])).toEqual({ line: 8, column: 33 });
    expect(locate(["trainer"])).toEqual({ line: 7, column: 12 });
    // A bare name is its own name; what is missing is missing from what is there.
    expect(locate(["trainer", "name"])).toEqual({ line: 7, column: 12 });
    expect(locate(["model", "absent"])).toEqual({ line: 5, column: 3 });
  });

  test("whole slots replaced by a program that goes on with a run of its own objects", async () => {
    const tokenizer = { vocabSize: 2, encode: () => [], decode: () => "" };
    const path = await file(good.replace(/tokenizer.*/, "tokenizer: { object: Toy }"));
    const run = await loadRunFile(path, { replace: { tokenizer } });
    expect(run.config.tokenizer).toMatchObject({ object: tokenizer });
  });
});

describe("mistakes, each with its place", () => {
  const with_ = (key: string, value: string): string =>
    `${good.replace(new RegExp(`^${key}:.*\\n`, "m"), "")}${key}: ${value}\n`;

  test.each([
    ["an unknown key", `${good}trianer: x\n`, '9:1: trianer: unknown key; did you mean "trainer"?'],
    [
      "an unknown key like nothing else",
      `${good}zzzzzz: 1\n`,
      "9:1: zzzzzz: unknown key; known are format, seed, device, directory, tokenizer, data, model, trainer, metrics, imports, limit, overfitBatch, plugins, extends",
    ],
    ["a key of the wrong case", good.replace("seed", "Seed"), '1:1: Seed: unknown key; did you mean "seed"?'],
    ["a merge key", `${good}<<: { seed: 1 }\n`, "9:1: <<: unknown key; known are"],
    ["a prototype", `${good}__proto__: { seed: 1 }\n`, "9:1: __proto__: unknown key; known are"],
    ["a seed in words", with_("seed", "lucky"), '8:7: seed: expected a whole number from 0, got "lucky"'],
    ["a seed with a fraction", with_("seed", "1.5"), "8:7: seed: expected a whole number from 0, got 1.5"],
    ["a seed below nothing", with_("seed", "-1"), "8:7: seed: expected a whole number from 0, got -1"],
    [
      "a missing slot",
      good.replace(/^tokenizer.*\n/m, ""),
      "1:1: tokenizer: missing; give the name of a tokenizer, for example `tokenizer: byte`",
    ],
    [
      "a slot without a value",
      with_("trainer", ""),
      "8:10: trainer: expected the name of a trainer, or `{ name: …, options }`, got null",
    ],
    [
      "a slot that is a number",
      with_("data", "3"),
      "8:7: data: expected the name of a data loader, or `{ name: …, options }`, got 3",
    ],
    [
      "a slot that is a list",
      with_("data", "[text]"),
      "8:7: data: expected the name of a data loader, or `{ name: …, options }`, got an array of 1",
    ],
    [
      "a slot without a name",
      with_("trainer", "{ maxSteps: 3 }"),
      "8:10: trainer: missing `name`: which trainer is it?",
    ],
    [
      "a name that is no text",
      with_("trainer", "{ name: 7 }"),
      "8:18: trainer.name: expected the name of a trainer, got 7",
    ],
    [
      "a slot of a program's object",
      with_("tokenizer", "{ object: Toy }"),
      "8:12: tokenizer: this run was made by a program that gave the tokenizer Toy as an object",
    ],
    [
      "metrics that are no list",
      with_("metrics", "perplexity"),
      '8:10: metrics: expected a list of metrics, got "perplexity"; write [perplexity]',
    ],
    [
      "a metric that is a number",
      with_("metrics", "[perplexity, 5]"),
      "8:23: metrics[1]: expected the name of a metric",
    ],
    [
      "a metric twice",
      with_("metrics", "[perplexity, perplexity]"),
      '8:23: metrics[1]: the metric "perplexity" is already in the list',
    ],
    [
      "plugins of another type",
      with_("plugins", "yes"),
      '9:10: plugins: expected "auto", false, a list of package names, or `{ packages, pins }`; got "yes"',
    ],
    [
      "a misspelt key of plugins",
      with_("plugins", "{ pin: {} }"),
      '9:12: plugins.pin: unknown key; did you mean "pins"?',
    ],
    [
      "a pin of no kind",
      with_("plugins", '{ pins: { toy: "x" } }'),
      '9:20: plugins.pins.toy: a pin reads "kind/name"',
    ],
    [
      "a pin on a number",
      with_("plugins", "{ pins: { metrics/toy: 3 } }"),
      "9:33: plugins.pins.metrics/toy: expected the name of a package, got 3",
    ],
    [
      "a directory that is a list",
      with_("directory", "[x]"),
      "9:12: directory: expected the path of a folder, got an array of 1",
    ],
    [
      "an empty file",
      "",
      "1:1: a run file is a mapping with tokenizer, data, model and trainer; it is empty",
    ],
    [
      "comments only",
      "# nothing\n",
      "a run file is a mapping with tokenizer, data, model and trainer; it is empty",
    ],
    [
      "text",
      "just text",
      '1:1: a run file is a mapping with tokenizer, data, model and trainer; got "just text"',
    ],
    [
      "a list",
      "- seed: 1",
      "1:1: a run file is a mapping with tokenizer, data, model and trainer; got an array of 1",
    ],
    ["a key twice", `${good}seed: 2\n`, "9:1: this key is given twice; remove one"],
    ["an option twice", with_("model", "{ name: gpt2, name: x }"), "this key is given twice; remove one"],
    [
      "a bracket that is not closed",
      with_("metrics", "[perplexity"),
      "must be sufficiently indented and end with a ]",
    ],
    ["a quote that is not closed", with_("seed", '"1'), 'Missing closing "quote'],
    ["a tab", `model:\n\tname: gpt2\n`, "2:1: a tab cannot indent YAML; use spaces"],
    ["a second document", `${good}---\nseed: 2\n`, "9:1: a second document begins here; a run file is one"],
    ["an anchor", with_("seed", "&seed 1"), "8:13: anchors (&seed) are not supported in run files"],
    [
      "an alias",
      with_("seed", "*seed"),
      "8:7: aliases (*seed) are not supported in run files; write the value out",
    ],
    ["a tag", with_("seed", "!!str 1"), "8:13: tags (tag:yaml.org,2002:str) are not supported in run files"],
    [
      "a tag of another tool",
      with_("seed", "!!js/function x"),
      "tags (tag:yaml.org,2002:js/function) are not supported",
    ],
    ["a key that is a list", "? [a]\n: 1\n", "1:3: a key must be text"],
  ])("%s", async (_, text, message) => {
    expect((await problems(text)).join("\n")).toContain(message);
  });

  test("all at once, in the order of the file's keys", async () => {
    expect(await problems("sed: 1\nseed: x\nmodel: 5\nmetrics: [1]\n")).toEqual([
      '1:1: sed: unknown key; did you mean "seed"?',
      '2:7: seed: expected a whole number from 0, got "x"',
      "1:1: tokenizer: missing; give the name of a tokenizer, for example `tokenizer: byte`",
      "1:1: data: missing; give the name of a data loader, for example `data: text`",
      expect.stringMatching(/^3:8: model: expected the name of a model/),
      "1:1: trainer: missing; give the name of a trainer, for example `trainer: causal_lm`",
      expect.stringMatching(/^4:11: metrics\[0\]: expected the name of a metric/),
    ]);
  });

  test("the problems as data", async () => {
    const path = await file(`${good}trianer: x\n`);
    await expect(loadRunFile(path)).rejects.toMatchObject({
      problems: [
        { file: path, line: 9, column: 1, path: ["trianer"], message: "unknown key", closest: "trainer" },
      ],
    });
  });

  test("in JSON, at the same places", async () => {
    const text = '{\n  "tokenizer": "byte",\n  "data": "text",\n  "model": 5,\n  "trainer": "causal_lm"\n}';
    expect(await problems(text, "run.json")).toEqual([expect.stringMatching(/^4:12: model: /)]);
  });

  test("in TypeScript, by the path of the key", async () => {
    const text =
      'export default { sed: 1, tokenizer: "byte", data: "text", model: 5, trainer: "causal_lm" };';
    expect(await problems(text, "run.ts")).toEqual([
      'sed: unknown key; did you mean "seed"?',
      expect.stringMatching(/^model: expected the name of a model/),
    ]);
  });

  test("a class where an instance belongs", async () => {
    const text =
      'class Toy {}\nexport default { tokenizer: Toy, data: "text", model: "gpt2", trainer: "causal_lm" };';
    expect(await problems(text, "run.ts")).toEqual([
      "tokenizer: expected a tokenizer, got the class Toy; give an instance: new Toy(…)",
    ]);
  });

  test("an object that falls short of its contract", async () => {
    const text =
      'export default { tokenizer: { vocabSize: 3, encode() {} }, data: "text", model: new (class Toy { forward() {} })(), trainer: "causal_lm" };';
    expect(await problems(text, "run.ts")).toEqual([
      "tokenizer: missing `name`: which tokenizer is it?",
      expect.stringMatching(
        /model: expected the name of a model.*got Toy.*as a model it lacks a function `parameters`/,
      ),
    ]);
  });

  test.each([
    ["no default export", "export const run = {};", /has no default export; write `export default defineRun/],
    ["an exception", 'throw new Error("boom");\nexport default {};', /cannot be run: boom/],
    ["a missing import", 'import "./absent.ts";\nexport default {};', /cannot be run: .*absent/],
    ["broken syntax", "export default {", /cannot be run: /],
  ])("TypeScript with %s", async (_, text, message) => {
    expect((await problems(text, "run.ts")).join("\n")).toMatch(message);
  });

  test("a file that is not there, with the one that was probably meant", async () => {
    await file(good, "moby-dick.yaml");
    await expect(loadRunFile(join(folder, "mobydick.yaml"))).rejects.toThrow(
      'there is no such file; did you mean "moby-dick.yaml"?',
    );
    await expect(loadRunFile(join(folder, "none/at-all.ts"))).rejects.toThrow("there is no such file");
  });

  test("a folder", async () => {
    await mkdir(join(folder, "folder.yaml"));
    await expect(loadRunFile(join(folder, "folder.yaml"))).rejects.toThrow("is a folder, not a run file");
  });

  test("another extension", async () => {
    await expect(loadRunFile(await file("", "run.toml"))).rejects.toThrow(
      "a run file ends in .yaml, .yml, .json, .ts",
    );
  });

  test("bytes that are not UTF-8", async () => {
    expect(await problems(new Uint8Array([0x61, 0x3a, 0x20, 0xff]))).toEqual([
      "is not text in UTF-8; save it in that encoding",
    ]);
  });
});

describe("--set", () => {
  const set = async (...assignments: string[]) =>
    (await loadRunFile(await file(good), { set: assignments })).config;

  test("replaces an option, a seed, a whole slot", async () => {
    const config = await set(
      "model.hiddenSize=64",
      "seed=7",
      "tokenizer=byte",
      "data={ name: text, path: x.txt }",
    );
    expect(config).toMatchObject({
      seed: 7,
      tokenizer: { name: "byte", options: {} },
      data: { name: "text", options: { path: "x.txt" } },
      model: { name: "gpt2", options: { hiddenSize: 64 } },
    });
  });

  test("turns a bare name into a name with options", async () => {
    expect(await set("trainer.maxSteps=10", "metrics.0.k=5")).toMatchObject({
      trainer: { name: "causal_lm", options: { maxSteps: 10 } },
      metrics: [{ name: "perplexity", options: { k: 5 } }, { name: "token_accuracy" }],
    });
  });

  test("gives a slot that the file leaves out", async () => {
    const path = await file(good.replace(/^data.*\n/m, ""));
    const run = await loadRunFile(path, { set: ["data.name=text"] });
    expect(run.config.data).toEqual({ name: "text", options: {} });
  });

  test("reads values as YAML, and text with a colon as text", async () => {
    const config = await set(
      "trainer.rate=1e-3",
      "trainer.on=true",
      "trainer.list=[1, two]",
      "trainer.prompt=Call me: Ishmael",
      'trainer.empty=""',
      "trainer.equals=a=b",
      "trainer.deep.er=null",
    );
    expect(config.trainer).toMatchObject({
      options: {
        rate: 0.001,
        on: true,
        list: [1, "two"],
        prompt: "Call me: Ishmael",
        empty: "",
        equals: "a=b",
        deep: { er: null },
      },
    });
  });

  test("the metrics by index, one past the end, and as a list", async () => {
    expect((await set("metrics.1=bits_per_byte")).metrics?.map(({ name }) => name)).toEqual([
      "perplexity",
      "bits_per_byte",
    ]);
    expect((await set("metrics[2]=bits_per_byte")).metrics).toHaveLength(3);
    expect((await set("metrics=[bits_per_byte]")).metrics).toHaveLength(1);
  });

  test.each([
    ["trainer.maxSteps", "--set trainer.maxSteps: expected path=value, for example trainer.maxSteps=100"],
    ["=3", "--set: expected a path of keys"],
    ["trainer..x=3", "--set trainer..x: expected a path of keys"],
    ["trainer.x=", '--set trainer.x: no value after "="; for empty text write ""'],
    ["trainer.x=[1", '--set trainer.x: cannot read the value "[1": '],
    ["trainer.x=*y", '--set trainer.x: cannot read the value "*y": aliases'],
    ["seed.x=1", '--set seed.x: seed is 1; it has no "x" to set'],
    ["metrics.9=x", '--set metrics.9: metrics is a list of 2; expected an index from 0 to 2, got "9"'],
    ["sed=3", '--set sed: unknown key; did you mean "seed"?'],
    ["seed=x", '--set seed: expected a whole number from 0, got "x"'],
    ["trainer={ name: 3 }", "--set trainer.name: expected the name of a trainer, got 3"],
  ])("%s is refused by the name it was given", async (assignment, message) => {
    expect((await problems(good, "run.yaml", [assignment])).join("\n")).toContain(message);
  });

  test("on a run that was loaded already, which stays as it was", async () => {
    const run = await loadRunFile(await file(good));
    const changed = applyOverrides(run, ["model.hiddenSize=64"]);
    expect(changed.config.model).toMatchObject({ options: { hiddenSize: 64 } });
    expect(changed.locate(["model", "hiddenSize"])).toBeUndefined();
    expect(changed.locate(["model", "name"])).toEqual({ line: 5, column: 9 });
    expect(run.config.model).toMatchObject({ options: { hiddenSize: 128 } });
  });
});
