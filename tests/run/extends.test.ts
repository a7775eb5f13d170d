/** `extends`: run files that change others. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkRun } from "../../src/run/check-run.ts";
import { type Layer, mergeOver } from "../../src/run/layers.ts";
import { RunFileError } from "../../src/run/problems.ts";
import { resolvedRun } from "../../src/run/resolved.ts";
import { loadRunFile, readRun } from "../../src/run/run-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "codex-ml-extends-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const base = `seed: 7
tokenizer: { name: bpe, vocabSize: 1024 }
data: { name: text, path: book.txt }
model: { name: gpt2, hiddenSize: 64, numHiddenLayers: 2 }
trainer: { name: causal_lm, maxSteps: 10, optim: { name: lion, beta1: 0.95 }, freeze: [a, b] }
metrics: [perplexity, bits_per_byte]
`;

/** Writes files and gives the path of the first. */
async function write(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return join(folder, Object.keys(files)[0] ?? "");
}

async function config(text: string, more: Readonly<Record<string, string>> = {}, name = "run.yaml") {
  return (await loadRunFile(await write({ [name]: text, "base.yaml": base, ...more }))).config;
}

/** The problems of reading a file and building its components, with the folder left out. */
async function problems(files: Readonly<Record<string, string>>): Promise<string[]> {
  const path = await write(files);
  const error: unknown = await checkRun(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RunFileError)) throw error ?? new Error("nothing was wrong");
  return error.message.replaceAll(`${folder}/`, "").split("\n");
}

describe("what a file changes", () => {
  test("nothing: the base holds", async () => {
    const path = await write({ "base.yaml": base });
    expect(await config("extends: ./base.yaml\n")).toEqual((await loadRunFile(path)).config);
  });

  test("options of the base's component, key by key", async () => {
    const { model, trainer, tokenizer } = await config(
      "extends: base.yaml\nmodel: { hiddenSize: 32 }\ntrainer: { name: causal_lm, optim: { beta1: 0.9 } }\n",
    );
    expect(model).toEqual({ name: "gpt2", options: { hiddenSize: 32, numHiddenLayers: 2 } });
    expect(trainer).toMatchObject({ options: { maxSteps: 10, optim: { name: "lion", beta1: 0.9 } } });
    expect(tokenizer).toEqual({ name: "bpe", options: { vocabSize: 1024 } });
  });

  test("a bare name is the component that it names: the same one keeps its options, another has none", async () => {
    expect((await config("extends: base.yaml\nmodel: GPT2\n")).model).toMatchObject({
      options: { hiddenSize: 64 },
    });
    expect((await config("extends: base.yaml\nmodel: llama\n")).model).toEqual({
      name: "llama",
      options: {},
    });
  });

  test("a component of another name takes the place of the whole, inside a trainer, too", async () => {
    const { model, trainer } = await config(
      "extends: base.yaml\nmodel: { name: llama, hiddenSize: 32 }\ntrainer: { optim: { name: adafactor } }\n",
    );
    expect(model).toEqual({ name: "llama", options: { hiddenSize: 32 } });
    expect(trainer).toMatchObject({ options: { maxSteps: 10, optim: { name: "adafactor" } } });
    expect(trainer).not.toHaveProperty("options.optim.beta1");
  });

  test("a list takes the place of the base's", async () => {
    const { metrics, trainer } = await config(
      "extends: base.yaml\nmetrics: [token_accuracy]\ntrainer: { freeze: [] }\n",
    );
    expect(metrics).toEqual([{ name: "token_accuracy", options: {} }]);
    expect(trainer).toMatchObject({ options: { freeze: [] } });
  });

  test("null takes back what the base says, so that a default or another option can hold", async () => {
    const { trainer, metrics, seed } = await config(
      "extends: base.yaml\nseed: null\nmetrics: null\ntrainer: { maxSteps: null, numTrainEpochs: 2 }\n",
    );
    expect(trainer).not.toHaveProperty("options.maxSteps");
    expect(trainer).toMatchObject({ options: { numTrainEpochs: 2 } });
    expect([seed, metrics]).toEqual([1337, undefined]);
  });

  test("the last of several bases goes before the others, and a chain is followed", async () => {
    const { seed, model } = await config("extends: [base.yaml, wide.yaml]\nseed: 1\n", {
      "wide.yaml": "extends: wider.json\nmodel: { numHiddenLayers: 3 }\n",
      "wider.json": '{ "$schema": "x", "seed": 2, "model": { "hiddenSize": 512, "numHiddenLayers": 9 } }',
    });
    expect(seed).toBe(1);
    expect(model).toEqual({ name: "gpt2", options: { hiddenSize: 512, numHiddenLayers: 3 } });
  });

  test("TypeScript extends YAML, and YAML extends TypeScript", async () => {
    const script = 'export default { extends: "./base.yaml", model: { hiddenSize: 8 } };';
    expect((await config(script, {}, "run.ts")).model).toMatchObject({ options: { hiddenSize: 8 } });
    const last = await config("extends: middle.ts\nseed: 3\n", { "middle.ts": script });
    expect(last).toMatchObject({ seed: 3, model: { options: { hiddenSize: 8, numHiddenLayers: 2 } } });
  });

  test("an object of a program stands by itself", async () => {
    await write({ "base.yaml": base });
    const tokenizer = { vocabSize: 2, encode: () => [], decode: () => "" };
    const run = await readRun({ extends: "base.yaml", tokenizer }, [], folder);
    expect(run.config.tokenizer).toMatchObject({ object: tokenizer });
  });

  test("--set goes before all files", async () => {
    const path = await write({
      "run.yaml": "extends: base.yaml\nmodel: { hiddenSize: 32 }\n",
      "base.yaml": base,
    });
    const { config, source } = await loadRunFile(path, { set: ["model.hiddenSize=16"] });
    expect(config.model).toMatchObject({ options: { hiddenSize: 16, numHiddenLayers: 2 } });
    expect(source(["model", "hiddenSize"])).toEqual({ file: "--set" });
  });
});

describe("relative paths", () => {
  const far = { "far/base.yaml": base, "far/home.yaml": `${base}directory: .\n` };

  test("start at the file that is run", async () => {
    const run = await loadRunFile(await write({ "run.yaml": "extends: far/base.yaml\n", ...far }));
    expect(run.directory).toBe(folder);
  });

  test("start at a base that says so", async () => {
    const run = await loadRunFile(await write({ "run.yaml": "extends: far/home.yaml\n", ...far }));
    expect(run.directory).toBe(join(folder, "far"));
  });

  test("of `directory` given by --set start at the file that is run", async () => {
    const path = await write({ "run.yaml": "extends: far/home.yaml\n", ...far });
    expect((await loadRunFile(path, { set: ["directory=."] })).directory).toBe(folder);
  });
});

test("the run's own file has all of it, and no `extends`", async () => {
  await write({ "far/base.yaml": `${base}directory: .\n`, "far/book.txt": "words of a book" });
  const path = await write({ "run.yaml": "extends: far/base.yaml\nmodel: { hiddenSize: 32 }\n" });
  const { runFile, components } = await checkRun(path);
  const text = resolvedRun(runFile, components.resolved, join(folder, "runs/x"));
  expect(text).not.toContain("extends");
  expect(text).toContain("directory: ../../far");
  const again = await loadRunFile(await write({ "runs/x/run.yaml": text }), { followExtends: false });
  expect(again.config.model).toMatchObject({ options: { hiddenSize: 32, numHiddenLayers: 2 } });
  expect(again.directory).toBe(join(folder, "far"));
});

describe("mistakes", () => {
  test("each points at the file that made it", async () => {
    const found = await problems({
      "run.yaml": "extends: base.yaml\nmodel: { hiddenSiz: 32 }\nsed: 1\n",
      "base.yaml": base.replace("numHiddenLayers", "numHidenLayers").replace("vocabSize", "vocabSiz"),
      "book.txt": "words",
    });
    expect(found).toEqual([
      'run.yaml:3:1: sed: unknown key; did you mean "seed"?',
      'base.yaml:2:25: tokenizer.vocabSiz: unknown option; did you mean "vocabSize"?',
      'base.yaml:4:38: model.numHidenLayers: unknown option; did you mean "numHiddenLayers"?',
      'run.yaml:2:10: model.hiddenSiz: unknown option; did you mean "hiddenSize"?',
    ]);
  });

  test("in the text of several files come together", async () => {
    expect(
      await problems({
        "run.yaml": "extends: [a.yaml, b.yaml]\n",
        "a.yaml": "a: 1\na: 2\n",
        "b.yaml": "b: *x\n",
      }),
    ).toEqual([
      "a.yaml:2:1: this key is given twice; remove one",
      "b.yaml:1:4: aliases (*x) are not supported in run files; write the value out",
    ]);
  });

  test.each([
    ["bas.yaml", '1:10: extends: cannot extend bas.yaml: there is no such file; did you mean "base.yaml"?'],
    ["base.txt", "1:10: extends: cannot extend base.txt: a run file ends in .yaml"],
    ["", "1:10: extends: expected the path of a run file, or a list of such paths, got null"],
    ["[]", "1:10: extends: expected the path of a run file, or a list of such paths, got an array of 0"],
    ["[base.yaml, 3]", "1:22: extends[1]: expected the path of a run file, got 3"],
    ["run.yaml", "1:10: extends: a file cannot extend itself: run.yaml → run.yaml"],
    ["a.yaml", "a.yaml:1:10: extends: a file cannot extend itself: a.yaml → b.yaml → a.yaml"],
  ])("extends: %s", async (value, message) => {
    const found = await problems({
      "run.yaml": `extends: ${value}\n`,
      "base.yaml": base,
      "a.yaml": "extends: b.yaml\n",
      "b.yaml": "extends: a.yaml\n",
    });
    // A circle is told where it closes.
    expect(found.join("\n").replaceAll(/[^ \n]*\/(?=[ab]|run)/g, "")).toContain(
      message.startsWith("a.yaml:") ? "a file cannot extend itself: a.yaml → b.yaml → a.yaml" : message,
    );
  });

  test("a null that takes nothing back is what it is elsewhere", async () => {
    expect(
      (await problems({ "run.yaml": "extends: base.yaml\ndirectory: null\n", "base.yaml": base }))[0],
    ).toBe("run.yaml:2:12: directory: expected the path of a folder, got null");
  });

  test("--set extends is refused", async () => {
    const path = await write({ "run.yaml": base });
    await expect(loadRunFile(path, { set: ["extends=base.yaml"] })).rejects.toThrow(
      "--set extends: only a run file itself can say what it extends",
    );
  });

  test("a run directory's file leads nowhere", async () => {
    const path = await write({ "run.yaml": "extends: ./evil.ts\n", "evil.ts": 'throw new Error("it ran");' });
    await expect(loadRunFile(path, { followExtends: false })).rejects.toThrow(
      /run.yaml:1:1: extends: the file of a run directory extends no other/,
    );
  });
});

describe("merging", () => {
  const layer: Layer = { value: undefined, path: undefined, label: "l", folder: "/", locate: undefined };
  const over = (below: unknown, top: unknown) =>
    mergeOver({ value: below, owner: { layer } }, { value: top, owner: { layer } }).value;
  // A key means one thing in all files: a number, a list, or a mapping.
  const inner = fc.dictionary(fc.constantFrom("c", "d"), fc.boolean());
  const plain = fc
    .record({ a: fc.integer(), b: fc.array(fc.integer()), m: inner, p: inner }, { requiredKeys: [] })
    .map(({ p, ...rest }) => (p === undefined ? rest : { ...rest, ["__proto__"]: p }));

  test("without names and nulls it is associative, an empty file changes nothing, and so does the same again", () => {
    fc.assert(
      fc.property(plain, plain, plain, (a, b, c) => {
        expect(over(over(a, b), c)).toEqual(over(a, over(b, c)));
        expect(over(a, {})).toEqual({ ...a });
        expect(over(a, a)).toEqual({ ...a });
      }),
    );
  });
});
