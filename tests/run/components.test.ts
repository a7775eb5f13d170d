import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type DataLoader, dataLoaders } from "../../src/data-loaders/index.ts";
import { metrics } from "../../src/metrics/index.ts";
import { type Model, models } from "../../src/models/index.ts";
import { createRegistry, Discovery, InvalidOptionError } from "../../src/registry/index.ts";
import { buildComponents, type Components, createFromSlot } from "../../src/run/components.ts";
import { RunFileError } from "../../src/run/problems.ts";
import type { Registries } from "../../src/run/registries.ts";
import { resolvedRun } from "../../src/run/resolved.ts";
import { loadRunFile, runFileFrom } from "../../src/run/run-file.ts";
import { type Tokenizer, tokenizers } from "../../src/tokenizers/index.ts";
import { type Trainer, trainers } from "../../src/trainers/index.ts";

let folder: string;
let registries: Registries;
let directories: string[];

class ToyTokenizer implements Tokenizer {
  readonly vocabSize = 300;
  encode(text: string): number[] {
    return [...Buffer.from(text)];
  }
  decode(ids: Iterable<number>): string {
    return Buffer.from([...ids]).toString();
  }
}

const toyData = (): DataLoader => ({
  splits: ["train"],
  async *texts() {},
  async *examples() {},
  fingerprint: async () => "data",
});

const toyModel = (vocabSize: number): Model => ({
  task: "causal_lm",
  vocabSize,
  maxPositionEmbeddings: 8,
  config: { model_type: "toy", vocab_size: vocabSize },
  parameters: () => [],
  forward: () => {
    throw new Error("not traced here");
  },
});

class ToyTrainer implements Trainer {
  async *train() {}
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "codex-ml-components-"));
  directories = [];
  const discovery = new Discovery({ root: folder });
  registries = {
    tokenizers: createRegistry(tokenizers, discovery),
    dataLoaders: createRegistry(dataLoaders, discovery),
    models: createRegistry(models, discovery),
    trainers: createRegistry(trainers, discovery),
    metrics: createRegistry(metrics, discovery),
  };
  registries.tokenizers.register("toy", {
    options: z.strictObject({
      lowercase: z.boolean().default(false),
      size: z.number().int().positive().optional(),
    }),
    create: () => new ToyTokenizer(),
  });
  registries.dataLoaders.register("toy", {
    options: z.strictObject({ path: z.string(), validation: z.number().min(0).max(0.5).default(0.1) }),
    create: ({ path }, { directory }) => {
      directories.push(directory);
      if (path === "absent.txt") throw new InvalidOptionError("path", `there is no file ${path}`);
      return toyData();
    },
  });
  registries.models.register("toy", {
    options: z.strictObject({
      vocabSize: z.number().int(),
      hiddenSize: z.number().int().positive().default(64),
      rope: z.strictObject({ theta: z.number().default(10_000) }).prefault({}),
    }),
    create: ({ vocabSize }) => toyModel(vocabSize),
  });
  registries.trainers.register("toy", {
    options: z.strictObject({
      maxSteps: z.number().int().positive().default(100),
      betas: z.array(z.number()).default([0.9, 0.999]),
    }),
    create: () => new ToyTrainer(),
  });
  registries.metrics.register("toy", () => () => 1);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const good = `tokenizer: toy
data: { name: toy, path: corpus.txt }
model: { name: toy, hiddenSize: 32 }
trainer: toy
metrics: [toy]
`;

async function build(text: string, name = "run.yaml"): Promise<Components> {
  const path = join(folder, name);
  await writeFile(path, text);
  return buildComponents(await loadRunFile(path), registries);
}

async function problems(text: string): Promise<string[]> {
  const error: unknown = await build(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RunFileError)) throw error ?? new Error("nothing was wrong");
  return error.message.replaceAll(join(folder, "run.yaml:"), "").split("\n");
}

describe("building", () => {
  test("builds all but the model, and the model for a vocabulary", async () => {
    const components = await build(good);
    expect(components.tokenizer).toBeInstanceOf(ToyTokenizer);
    expect(components.trainer).toBeInstanceOf(ToyTrainer);
    expect(components.metrics).toEqual([
      {
        name: "toy",
        metric: expect.any(Function),
        origin: expect.stringMatching(/^program .*components\.test\.ts:\d+$/),
      },
    ]);
    expect(await components.createModel(512)).toMatchObject({ vocabSize: 512 });
  });

  test("tells every component the folder that relative paths refer to", async () => {
    await build(`${good}directory: corpora\n`);
    expect(directories).toEqual([join(folder, "corpora")]);
  });

  test("names where each component came from", async () => {
    const plugin = join(folder, "node_modules/my-extension");
    await mkdir(plugin, { recursive: true });
    await writeFile(
      join(folder, "package.json"),
      JSON.stringify({ name: "root", dependencies: { "my-extension": "1.2.0" } }),
    );
    await writeFile(
      join(plugin, "package.json"),
      JSON.stringify({
        name: "my-extension",
        version: "1.2.0",
        type: "module",
        main: "metric.js",
        codexMl: { "codex_ml.metrics": { extra: "./metric.js" } },
      }),
    );
    await writeFile(join(plugin, "metric.js"), "export default () => () => 2;");
    const { origins } = await build(good.replace("[toy]", "[toy, extra, perplexity]"));
    expect(origins.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "tokenizer toy",
      "data toy",
      "model toy",
      "trainer toy",
      "metric toy",
      "metric extra",
      "metric perplexity",
    ]);
    expect(origins[0]?.origin).toMatch(/^program .*components\.test\.ts:\d+$/);
    expect(origins[5]?.origin).toBe("my-extension@1.2.0");
    expect(origins[6]?.origin).toMatch(/^codex-ml@\d/);
  });

  test("takes the objects of a program as they are", async () => {
    const tokenizer = new ToyTokenizer();
    const run = runFileFrom(
      { tokenizer, data: toyData(), model: toyModel(300), trainer: new ToyTrainer(), metrics: [() => 1] },
      folder,
    );
    const components = await buildComponents(run, registries);
    expect(components.tokenizer).toBe(tokenizer);
    expect(components.origins.slice(0, 2)).toEqual([
      { kind: "tokenizer", name: "ToyTokenizer", origin: "program" },
      { kind: "data", name: "anonymous", origin: "program" },
    ]);
    await expect(components.createModel(301)).rejects.toThrow(
      "run: model: the model reads 300 ids, but the tokenizer gives 301; build it for at least as many",
    );
  });

  test("lets the run decide which packages are looked at, and nothing when it does not say", async () => {
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "root" }));
    await build(`${good}plugins: false\n`);
    expect(registries.metrics.discovery.found.off).toBe("this program or run asked for no plugins");
    await build(good);
    expect(registries.metrics.discovery.found.off).toBe("this program or run asked for no plugins");
  });
});

describe("mistakes in components, each with its place", () => {
  test.each([
    [
      "an unknown option",
      good.replace("hiddenSize", "hidenSize"),
      '3:21: model.hidenSize: unknown option; did you mean "hiddenSize"?',
    ],
    [
      "an option of the wrong type",
      good.replace("32", "big"),
      /^3:33: model\.hiddenSize: .*expected number.*/,
    ],
    [
      "an unknown option further down",
      good.replace("hiddenSize: 32", "rope: { teta: 1 }"),
      '3:29: model.rope.teta: unknown option; did you mean "theta"?',
    ],
    [
      "a wrong entry of a list",
      good.replace("trainer: toy", "trainer: { name: toy, betas: [0.9, x] }"),
      /^4:36: trainer\.betas\[1\]: .*expected number/,
    ],
    ["a missing option", good.replace(", path: corpus.txt", ""), /^2:7: data\.path: .*/],
    [
      "an option that the factory blames",
      good.replace("corpus", "absent"),
      "2:26: data.path: there is no file absent.txt",
    ],
    [
      "an unknown name",
      good.replace("trainer: toy", "trainer: toyy"),
      /^4:10: trainer: .*toyy.*Did you mean "toy"/,
    ],
    [
      "an unknown name with options",
      good.replace("{ name: toy, hid", "{ name: tov, hid"),
      /^3:16: model: .*tov.*Did you mean "toy"/,
    ],
    [
      "an unknown metric",
      good.replace("[toy]", "[toy, perplexty]"),
      /^5:16: metrics\[1\]: .*Did you mean "perplexity"/,
    ],
    [
      "a name that can be none",
      good.replace("trainer: toy", 'trainer: "to y"'),
      /^4:10: trainer: "to y" cannot name a component/,
    ],
  ])("%s", async (_, text, message) => {
    const [line] = await problems(text);
    if (typeof message === "string") expect(line).toBe(message);
    else expect(line).toMatch(message);
  });

  test("a factory that throws, a factory that returns something else", async () => {
    registries.metrics.register("broken", () => {
      throw new Error("boom");
    });
    registries.metrics.register("wrong", (() => 5) as never);
    const lines = await problems(good.replace("[toy]", "[broken, wrong]"));
    expect(lines[0]).toMatch(/^5:11: metrics\[0\]: Could not build metric "broken".*boom/);
    expect(lines[1]).toMatch(
      /^5:19: metrics\[1\]: metric "wrong" .*breaks the contract of a metric: it returned 5/,
    );
  });

  test("of all components at once, the model's too when the tokenizer is wrong", async () => {
    const lines = await problems(`tokenizer: { name: toy, lowrcase: true }
data: { name: toy }
model: { name: toy, hiddenSize: x }
trainer: { name: toy, maxStep: 5 }
metrics: [{ name: nothing-like-it }]
`);
    const places = lines
      .map((line) => /^(\d+:\d+: [\w.[\]]+):/.exec(line)?.[1])
      .filter((place) => place !== undefined);
    expect(places).toEqual([
      "1:25: tokenizer.lowrcase",
      "2:7: data.path",
      "3:33: model.hiddenSize",
      "4:23: trainer.maxStep",
      "5:19: metrics[0]",
    ]);
  });

  test("what --set gave is named so", async () => {
    const path = join(folder, "run.yaml");
    await writeFile(path, good);
    const run = await loadRunFile(path, { set: ["trainer.maxStep=10"] });
    await expect(buildComponents(run, registries)).rejects.toThrow(
      '--set trainer.maxStep: unknown option; did you mean "maxSteps"?',
    );
  });

  test("a model without `vocabSize` is told that every run adds it", async () => {
    registries.models.register("fixed", { options: z.strictObject({}), create: () => toyModel(9) });
    expect(await problems(good.replace(/model.*/, "model: fixed"))).toEqual([
      expect.stringMatching(/^3:8: model: "fixed" does not take the option `vocabSize` that every run adds/),
    ]);
  });

  test("a vocabulary smaller than the tokenizer's", async () => {
    const { createModel } = await build(good.replace("hiddenSize: 32", "vocabSize: 400"));
    expect(await createModel(400)).toMatchObject({ vocabSize: 400 });
    await expect(createModel(401)).rejects.toThrow(
      /run\.yaml:3:32: model\.vocabSize: the model reads 400 ids, but the tokenizer gives 401; leave the option out/,
    );
  });
});

test("a trainer that cannot be built does not make a classifier lack the classes that the run would add", async () => {
  const path = join(folder, "run.yaml");
  const text = [
    "tokenizer: byte",
    'data: { name: memory, examples: ["a b"] }',
    "model: embedding_bag",
    "trainer: { name: sequence_classification, maxSteps: 0 }",
  ];
  await writeFile(path, text.join("\n"));
  const error = await buildComponents(await loadRunFile(path)).catch((reason: unknown) => reason);
  expect((error as RunFileError).problems.map((problem) => problem.path.join("."))).toEqual([
    "trainer.maxSteps",
  ]);
});

describe("one component by itself", () => {
  test("is built, or its mistake has its place", async () => {
    const path = join(folder, "run.yaml");
    await writeFile(path, good.replace("[toy]", "[toy, { name: perplexity, base: 2 }]"));
    const run = await loadRunFile(path);
    const { tokenizer, model, metrics } = run.config;
    expect(await createFromSlot(run, ["tokenizer"], tokenizer, registries.tokenizers)).toBeInstanceOf(
      ToyTokenizer,
    );
    expect(await createFromSlot(run, ["model"], model, registries.models, { vocabSize: 7 })).toMatchObject({
      vocabSize: 7,
    });
    await expect(createFromSlot(run, ["model"], model, registries.models)).rejects.toThrow(
      /run\.yaml:3:8: model\.vocabSize: /,
    );
    await expect(createFromSlot(run, ["metrics", 1], metrics![1]!, registries.metrics)).rejects.toThrow(
      /run\.yaml:5:36: metrics\[1\]\.base: unknown option/,
    );
  });
});

describe("the resolved run", () => {
  const runDirectory = (): string => join(folder, "runs/toy-20250101-000000");

  test("has every default filled in, and paths from the run directory", async () => {
    const path = join(folder, "run.yaml");
    await writeFile(path, good);
    const run = await loadRunFile(path);
    const { resolved } = await buildComponents(run, registries);
    expect(
      resolvedRun(run, resolved, runDirectory()),
    ).toBe(`# The run with every default filled in. Training from this file again gives the same weights.
# Relative paths in options start at \`directory\`, which starts at this file.

format: 1
seed: 1337
device: cpu
directory: ../..
tokenizer:
  name: toy
  lowercase: false
data:
  name: toy
  path: corpus.txt
  validation: 0.1
model:
  name: toy
  hiddenSize: 32
  rope:
    theta: 10000
trainer:
  name: toy
  maxSteps: 100
  betas:
    - 0.9
    - 0.999
metrics:
  - toy
`);
  });

  test.each([
    ["as it is", good],
    [
      "with a directory, plugins and a vocabulary",
      `${good.replace("hiddenSize: 32", "vocabSize: 999")}directory: sub\nplugins: { packages: [], pins: {} }\n`,
    ],
    ["with text that YAML could misread", good.replace("corpus.txt", `"no"`).replace("directory", "# x")],
    ["with no metrics", good.replace("[toy]", "[]")],
  ])("loads again as the same run, %s", async (_, text) => {
    await writeFile(join(folder, "package.json"), "{}");
    const path = join(folder, "run.yaml");
    await writeFile(path, text);
    const run = await loadRunFile(path);
    const first = resolvedRun(run, (await buildComponents(run, registries)).resolved, runDirectory());
    await mkdir(runDirectory(), { recursive: true });
    await writeFile(join(runDirectory(), "run.yaml"), first);
    const again = await loadRunFile(join(runDirectory(), "run.yaml"));
    expect(again.directory).toBe(run.directory);
    expect(resolvedRun(again, (await buildComponents(again, registries)).resolved, runDirectory())).toBe(
      first,
    );
  });

  test("keeps the options as written where a schema's output is no valid input", async () => {
    registries.trainers.register("strange", {
      options: z.strictObject({
        time: z.string().transform((text) => text.length),
        on: z.boolean().default(true),
      }),
      create: () => new ToyTrainer(),
    });
    const path = join(folder, "run.yaml");
    await writeFile(path, good.replace("trainer: toy", "trainer: { name: strange, time: 1h }"));
    const { resolved } = await buildComponents(await loadRunFile(path), registries);
    expect(resolved.trainer).toEqual({ name: "strange", options: { time: "1h" } });
  });

  test("marks what only its program can build, and loading that says so", async () => {
    registries.trainers.register("callback", (_: { done?: () => void }) => new ToyTrainer());
    const run = runFileFrom(
      {
        tokenizer: new ToyTokenizer(),
        data: { name: "toy", path: "x" },
        model: "toy",
        trainer: { name: "callback", done: () => {} },
      },
      folder,
    );
    const { resolved } = await buildComponents(run, registries);
    const path = join(folder, "resolved.yaml");
    await writeFile(path, resolvedRun(run, resolved, folder));
    const loading = loadRunFile(path);
    await expect(loading).rejects.toThrow(
      /tokenizer: this run was made by a program that gave the tokenizer ToyTokenizer as an object/,
    );
    await expect(loading).rejects.toThrow(
      /trainer: this run was made by a program that gave the trainer callback as an object/,
    );
  });
});
