/** The JSON Schema of run files, held against a real validator and against what `config check` says. */
import { readFile } from "node:fs/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { createRegistries } from "../../src/faces/registry.ts";
import { runFileSchema } from "../../src/plugins/run-schema.ts";
import { buildComponents } from "../../src/run/components.ts";
import { RunFileError } from "../../src/run/problems.ts";
import type { Registries } from "../../src/run/registries.ts";
import { readRun } from "../../src/run/run-file.ts";
import { Project, removeProjects } from "../cli/project.ts";

afterAll(removeProjects);

const examples = new URL("../../examples/", import.meta.url);

async function validator(registries?: Registries) {
  const { schema, problems } = await runFileSchema(registries);
  expect(problems).toEqual([]);
  // Strict: a keyword that it does not know, or one that can do nothing, is a mistake of ours.
  const ajv = new Ajv2020({
    allErrors: true,
    ...{ strict: true, allowUnionTypes: true, strictRequired: false, strictTypes: false },
  });
  return ajv.compile(schema);
}

let validate: Awaited<ReturnType<typeof validator>>;
beforeAll(async () => {
  validate = await validator();
});

/** Places and words of what the schema has against a run, those that only lead to others left out. */
function against(run: unknown): string[] {
  validate(run);
  return (validate.errors ?? [])
    .filter(({ keyword }) => !["if", "anyOf", "const", "oneOf"].includes(keyword))
    .map(({ instancePath, message, params }) => {
      const what = params.additionalProperty ?? params.missingProperty;
      return `${instancePath} ${message}${what === undefined ? "" : `: ${what}`}`.trim();
    });
}

const run = {
  tokenizer: { name: "bpe", vocabSize: 1024 },
  data: { name: "text", path: "package.json" },
  model: { name: "gpt2", hiddenSize: 64 },
  trainer: { name: "causal_lm", maxSteps: 10 },
  metrics: ["perplexity", { name: "top_k_accuracy", k: 3 }],
};

test.each(["moby-dick.yaml", "code.yaml", "spam.yaml", "toy.yaml"])("examples/%s is valid", async (name) => {
  expect(against(parse(await readFile(new URL(name, examples), "utf8")))).toEqual([]);
});

describe("it and `config check` agree", () => {
  const whatCheckSays = async (given: object): Promise<string[]> => {
    try {
      await buildComponents(await readRun(given as never));
      return [];
    } catch (error) {
      if (!(error instanceof RunFileError)) throw error;
      return error.problems.map(({ path }) => path.join("."));
    }
  };

  test.each<[string, object]>([
    ["a whole run", run],
    ["bare names", { ...run, tokenizer: "byte", model: "gpt2" }],
    ["another name for a component", { ...run, model: "gpt", metrics: ["ppl"] }],
    ["a name with its package", { ...run, model: "codex-ml/gpt2" }],
    ["a component of a package", { ...run, metrics: ["codex-ml-toy-metric/toy_metric", "accuracy@token"] }],
    ["an optimizer by name", { ...run, trainer: { ...run.trainer, optim: "lion" } }],
    [
      "an optimizer with options",
      { ...run, trainer: { ...run.trainer, optim: { name: "sgd", momentum: 0.9 } } },
    ],
    ["plugins off", { ...run, plugins: "auto", seed: 0, directory: "." }],
    ["pins", { ...run, plugins: { pins: { "metrics/toy_metric": "codex-ml-toy-metric" } } }],
  ])("on %s: it is right", async (_, given) => {
    expect(against(given)).toEqual([]);
    expect(await whatCheckSays(given)).toEqual([]);
  });

  const without = ({ [`${"trainer"}`]: _, ...rest }: Record<string, unknown>) => rest;
  test.each<[string, object, string]>([
    ["a misspelt key", { ...run, sed: 1 }, "sed"],
    ["a missing component", without(run), "trainer"],
    ["a seed in words", { ...run, seed: "x" }, "seed"],
    ["an unknown component", { ...run, model: "gpt9" }, "model"],
    ["an unknown component with options", { ...run, model: { name: "gpt9" } }, "model"],
    ["an unknown metric", { ...run, metrics: ["perplexit"] }, "metrics.0"],
    ["metrics that are no list", { ...run, metrics: "perplexity" }, "metrics"],
    ["a component that is a number", { ...run, tokenizer: 3 }, "tokenizer"],
    ["a component without a name", { ...run, model: { hiddenSize: 3 } }, "model"],
    ["a misspelt option", { ...run, model: { name: "gpt2", hiddenSiz: 3 } }, "model.hiddenSiz"],
    ["another component's option", { ...run, model: { name: "gpt2", headDim: 3 } }, "model.headDim"],
    ["a number out of range", { ...run, data: { ...run.data, validation: 1 } }, "data.validation"],
    ["text for a number", { ...run, trainer: { ...run.trainer, batchSize: "8" } }, "trainer.batchSize"],
    ["a missing option", { ...run, data: "text" }, "data.path"],
    ["a missing option beside a name", { ...run, data: { name: "text" } }, "data.path"],
    [
      "an option of another optimizer",
      { ...run, trainer: { ...run.trainer, optim: { name: "sgd", beta1: 0.9 } } },
      "trainer.optim.beta1",
    ],
    [
      "an unknown choice",
      { ...run, tokenizer: { name: "bpe", preTokenizer: "gpt3" } },
      "tokenizer.preTokenizer",
    ],
    ["imports that are no list", { ...run, imports: "a.ts" }, "imports"],
    ["plugins in words", { ...run, plugins: "some" }, "plugins"],
    ["pins of numbers", { ...run, plugins: { pins: { "metrics/x": 3 } } }, "plugins.pins.metrics/x"],
    ["null for an option", { ...run, model: { name: "gpt2", hiddenSize: null } }, "model.hiddenSize"],
  ])("on %s: it is wrong", async (_, given, path) => {
    expect(validate(given)).toBe(false);
    expect(await whatCheckSays(given)).toContain(path);
  });

  test("on what only running it can tell: `check` knows more", async () => {
    const given = { ...run, model: { name: "gpt2", hiddenSize: 64, numAttentionHeads: 3 } };
    expect(against(given)).toEqual([]);
    expect(await whatCheckSays(given)).toEqual(["model.numAttentionHeads"]);
  });
});

describe("a file that extends another", () => {
  test("may leave out what the other has, and take it back", () => {
    expect(
      against({
        extends: "./base.yaml",
        model: { hiddenSize: 3 },
        trainer: { name: "causal_lm", maxSteps: null },
      }),
    ).toEqual([]);
    expect(against({ extends: ["a.yaml", "b.yaml"], metrics: null, seed: null, data: null })).toEqual([]);
  });

  test("is checked in what it says", () => {
    expect(against({ extends: "a.yaml", model: { name: "gpt2", hiddenSiz: 3 } })).toEqual([
      "/model must NOT have additional properties: hiddenSiz",
    ]);
    expect(validate({ extends: "a.yaml", trainer: { name: "causal_lm", maxSteps: "many" } })).toBe(false);
    expect(validate({ extends: "a.yaml", metrics: [null] })).toBe(false);
    expect(validate({ extends: 3 })).toBe(false);
  });
});

test("names that a project's own modules may register are left to them", () => {
  const given = { ...run, data: { name: "my_own", anything: true } };
  expect(validate(given)).toBe(false);
  expect(against({ ...given, imports: ["./own.ts"] })).toEqual([]);
  expect(validate({ ...run, imports: ["./own.ts"], model: { name: "gpt2", hiddenSiz: 3 } })).toBe(false);
});

test("an editor is told what each thing is, and its default", async () => {
  const { schema } = await runFileSchema();
  const { $defs } = schema as { $defs: Record<string, Record<string, unknown>> };
  expect($defs["models:codex-ml:gpt2"]).toMatchObject({
    description: expect.stringContaining("GPT-2"),
    additionalProperties: false,
    properties: {
      name: { description: expect.stringContaining("GPT-2") },
      from: { type: "string" },
      hiddenSize: { type: "integer", default: 128, description: "Width of the residual stream." },
    },
  });
  // A run fills in the vocabulary; nobody has to.
  expect($defs["models:codex-ml:gpt2"]).not.toHaveProperty("required");
  expect($defs["models.names"]?.anyOf).toContainEqual({ const: "gpt2", description: expect.any(String) });
  expect(schema).toMatchObject({ properties: { seed: { default: 1337, description: expect.any(String) } } });
});

describe("components of others", () => {
  const registries = () => createRegistries({ plugins: false });

  test("with a schema that holds itself, or has several forms", async () => {
    const own = registries();
    interface Tree {
      readonly size: number;
      readonly inner?: Tree | undefined;
    }
    const tree: z.ZodType<Tree> = z.lazy(() => z.strictObject({ size: z.int(), inner: tree.optional() }));
    const create = () => ({ vocabSize: 1, encode: () => [], decode: () => "" });
    own.tokenizers.register("tree", { options: z.strictObject({ root: tree }), create });
    own.tokenizers.register("forms", {
      options: z.union([z.strictObject({ a: z.int() }), z.strictObject({ b: z.string() })]),
      create,
    });
    own.tokenizers.register("anything", create);
    const holds = await validator(own);
    const with_ = (tokenizer: unknown) => holds({ ...run, tokenizer });
    expect(with_({ name: "tree", root: { size: 1, inner: { size: 2 } } })).toBe(true);
    expect(with_({ name: "tree", root: { size: 1, inner: { size: "2" } } })).toBe(false);
    expect(with_("tree")).toBe(false);
    expect(with_({ name: "forms", b: "x" })).toBe(true);
    expect(with_({ name: "forms", b: "x", a: 1 })).toBe(false);
    expect(with_({ name: "anything", whatever: [1] })).toBe(true);
  });

  test("that cannot be imported have their name, and the reason is told", async () => {
    const project = await Project.create({
      "broken.mjs": 'throw new Error("it cannot start");',
      "package.json": JSON.stringify({
        ...{ name: "broken", version: "1.0.0" },
        codexMl: { "codex_ml.metrics": { broken: "./broken.mjs" } },
      }),
    });
    const { schema, problems } = await runFileSchema(createRegistries({ root: project.directory }));
    expect(problems).toEqual([expect.stringMatching(/metric "broken".*it cannot start/)]);
    const holds = new Ajv2020({ strict: false }).compile(schema);
    expect(holds({ ...run, metrics: [{ name: "broken", any: 1 }] })).toBe(true);
  });
});
