/**
 * The plugin packages in examples/plugins: found by discovery, true to their contracts, and trained with together.
 *
 * The packages import `codex-ml`, which is the build in dist/; so does this file, so that there is one copy of everything.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createRegistries,
  type DataLoader,
  type Example,
  type ExampleRequest,
  evaluationContext,
  input,
  type MetricFunction,
  type Model,
  Random,
  type Registries,
  RegistryOptionsError,
  type StepEvent,
  type Tokenizer,
  type Trainer,
  type TrainingContext,
  type TrainingEvent,
} from "codex-ml";
import * as fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";

const repository = fileURLToPath(new URL("../../", import.meta.url));
const plugins = join(repository, "examples", "plugins");

const folders: string[] = [];
const temporaryFolder = (): string => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "codex-ml-toys-")));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

// A fresh set each time, which looks for packages from the repository's package.json, as a command there does.
let registries: Registries;
beforeEach(() => {
  registries = createRegistries({ root: repository });
});

describe("Discovery", () => {
  const names = [
    ["tokenizers", "toy_tokenizer", "codex-ml-toy-tokenizer@0.1.0"],
    ["dataLoaders", "toy_data_loader", "codex-ml-toy-data-loader@0.1.0"],
    ["models", "toy_model", "codex-ml-toy-model@0.1.0"],
    ["trainers", "toy_trainer", "codex-ml-toy-trainer@0.1.0"],
    ["metrics", "toy_metric", "codex-ml-toy-metric@0.1.0"],
  ] as const;

  test.each(names)("%s: %s is found as a direct dependency, from %s", (kind, name, origin) => {
    expect(registries[kind].list()).toContain(name);
    const { kind: from, package: owner, version, status } = registries[kind].inspect(name).origin;
    expect({ from, owner: `${owner}@${version}`, status }).toEqual({
      from: "entry-point",
      owner: origin,
      status: "declared",
    });
    expect(registries[kind].problems()).toEqual([]);
  });

  test("listing imports none of the packages, and asking for one imports that one", () => {
    const program = `
      import { createRegistries } from "codex-ml/registry";
      const { tokenizers, dataLoaders, models, trainers, metrics } = createRegistries();
      const listed = [tokenizers, dataLoaders, models, trainers, metrics].flatMap((registry) => registry.list());
      await metrics.get("toy_metric");
      process.stdout.write(JSON.stringify(listed));`;
    const log = join(temporaryFolder(), "imports.txt");
    const logger = new URL("../registry/fixtures/log-imports.mjs", import.meta.url);
    const printed = execFileSync(
      process.execPath,
      ["--import", logger.href, "--input-type=module", "--eval", program],
      { cwd: repository, env: { ...process.env, LOG_IMPORTS_TO: log, NODE_OPTIONS: "" }, encoding: "utf8" },
    );
    expect(JSON.parse(printed)).toEqual(expect.arrayContaining(names.map(([, name]) => name)));
    const imported = readFileSync(log, "utf8").split("\n");
    expect(imported.filter((url) => url.includes("/examples/plugins/"))).toEqual([
      expect.stringMatching(/codex-ml-toy-metric\/metric\.js$/),
    ]);
  });

  test("the types in their JSDoc hold", () => {
    const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    const sources = readdirSync(plugins).flatMap((name) =>
      readdirSync(join(plugins, name))
        .filter((file) => file.endsWith(".js") && !file.endsWith(".test.js"))
        .map((file) => join(plugins, name, file)),
    );
    expect(sources).toHaveLength(5);
    const flags = "--ignoreConfig --noEmit --checkJs --strict --module nodenext --target es2023 --types node";
    execFileSync(process.execPath, [compiler, ...flags.split(" "), ...sources], {
      cwd: repository,
      stdio: "pipe",
    });
  });
});

describe("toy_tokenizer", () => {
  const create = (options?: unknown): Promise<Tokenizer> =>
    registries.tokenizers.create("toy_tokenizer", options);

  test("gives back every text that its alphabet can write", async () => {
    const [tokenizer, other] = [await create(), await create()];
    const character = fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz .,;:!?'-\n");
    fc.assert(
      fc.property(fc.string({ unit: character }), (text) => {
        const ids = tokenizer.encode(text);
        expect(ids).toEqual(other.encode(text));
        expect(tokenizer.decode(ids)).toBe(text);
      }),
    );
  });

  test("gives one id in its range for every character of any text", async () => {
    const tokenizer = await create();
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const ids = [...tokenizer.encode(text)];
        expect(ids).toHaveLength([...text.toLowerCase()].length);
        expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize)).toBe(true);
      }),
    );
  });

  test("loses capitals and what its alphabet does not have, visibly", async () => {
    const tokenizer = await create();
    expect(tokenizer.decode(tokenizer.encode("Ça va, 🦊?"))).toBe("\uFFFDa va, \uFFFD?");
  });

  test("takes another alphabet", async () => {
    const tokenizer = await create({ alphabet: "ab" });
    expect(tokenizer.vocabSize).toBe(3);
    expect([...tokenizer.encode("abc")]).toEqual([1, 2, 0]);
  });

  test("refuses an id that it does not have", async () => {
    const tokenizer = await create();
    expect(() => tokenizer.decode([tokenizer.vocabSize])).toThrow(RangeError);
  });

  test.each([[{ alphabet: "" }], [{ alphabet: "aa" }], [{ alphabet: "aB" }], [{ alfabet: "a" }]])(
    "refuses the options %j",
    async (options) => {
      await expect(create(options)).rejects.toThrow(RegistryOptionsError);
    },
  );
});

describe("toy_metric", () => {
  const create = async (options?: unknown): Promise<MetricFunction> =>
    (await registries.metrics.create("toy_metric", options)) as MetricFunction;

  test("is the mean of each sequence's share of right tokens", async () => {
    // 2 of 2 and 1 of 4: (1 + 0.25) / 2. Over all tokens it would be 3 / 6.
    const data = {
      predictions: [Int32Array.of(5, 6), Int32Array.of(1, 9, 9, 9)],
      references: [Int32Array.of(5, 6), Int32Array.of(1, 2, 3, 4)],
    };
    expect((await create())(data)).toBe(0.625);
    expect((await create())(data)).toBe(0.625);
  });

  test.each([
    ["all right", [[1, 2]], [[1, 2]], 1],
    ["all wrong", [[2, 1]], [[1, 2]], 0],
    ["nothing", [], [], Number.NaN],
  ])("%s", async (_, predictions, references, value) => {
    expect((await create())({ predictions, references })).toBe(value);
  });

  test("takes no options", async () => {
    await expect(create({ weight: 2 })).rejects.toThrow(RegistryOptionsError);
  });
});

describe("toy_model", () => {
  const create = (options: unknown): Promise<Model> => registries.models.create("toy_model", options);
  const firstValues = (model: Model) =>
    model.parameters().map(({ name, dims, initialize }) => {
      const values = new Float32Array(dims.reduce((size, dim) => size * dim, 1));
      initialize(values, new Random(1));
      return { name, dims, values };
    });

  test("has the same parameters in every build", async () => {
    const options = { vocabSize: 11, hiddenSize: 4 };
    const model = await create(options);
    expect(model.parameters().map(({ name, dims }) => [name, dims])).toEqual([
      ["embedding.weight", [11, 4]],
      ["up.weight", [16, 4]],
      ["up.bias", [16]],
      ["down.weight", [11, 16]],
      ["down.bias", [11]],
    ]);
    expect(firstValues(await create(options))).toEqual(firstValues(model));
  });

  test("gives logits for batches and sequences of any size", async () => {
    const model = await create({ vocabSize: 11 });
    const inputIds = input("input_ids", "int32", ["batch_size", "sequence_length"]);
    const { logits } = model.forward({ inputIds }, evaluationContext());
    expect(logits.shape).toEqual(["batch_size", "sequence_length", 11]);
  });

  test.each([[{ hiddenSize: 0 }], [{ hiddenSize: "32" }], [{ hiddensize: 32 }]])(
    "refuses the options %j",
    async (options) => {
      await expect(create({ vocabSize: 11, ...options })).rejects.toThrow(RegistryOptionsError);
    },
  );
});

describe("toy_data_loader", () => {
  const create = (options?: unknown): Promise<DataLoader> =>
    registries.dataLoaders.create("toy_data_loader", options);
  const textsOf = async (
    loader: DataLoader,
    request: Partial<ExampleRequest> = {},
    split: "train" | "validation" = "train",
  ): Promise<string[]> => {
    const tokenizer = await registries.tokenizers.create("toy_tokenizer");
    const place = { seed: 1, epoch: 0, shuffle: true, start: 0, sequenceLength: 32 };
    const texts: string[] = [];
    for await (const example of loader.examples(split, { tokenizer, ...place, ...request }))
      texts.push((example as Extract<Example, { text: string }>).text);
    return texts;
  };

  test("gives the same examples in every build, in an order that seed and epoch decide", async () => {
    const loader = await create();
    const order = await textsOf(loader);
    expect(order).toHaveLength(900);
    expect(await textsOf(await create())).toEqual(order);
    for (const change of [{ seed: 2 }, { epoch: 1 }, { shuffle: false }]) {
      const other = await textsOf(loader, change);
      expect(other).not.toEqual(order);
      expect([...other].sort()).toEqual([...order].sort());
    }
  });

  test("goes on from a position as if it had not stopped", async () => {
    const loader = await create({ sentences: 50 });
    const whole = await textsOf(loader, { epoch: 3 });
    for (const start of [0, 1, 17, 44, 45])
      expect(await textsOf(loader, { epoch: 3, start })).toEqual(whole.slice(start));
  });

  test("holds sentences out that training never sees, whatever the seed", async () => {
    const loader = await create();
    const held = await textsOf(loader, { shuffle: false }, "validation");
    expect(held).toHaveLength(100);
    expect(await textsOf(loader, { shuffle: false, seed: 9 }, "validation")).toEqual(held);
    expect(new Set([...(await textsOf(loader)), ...held]).size).toBe(1000);
  });

  test("gives tokenizers the text of the examples, in order", async () => {
    const loader = await create();
    const texts: string[] = [];
    for await (const text of loader.texts("train")) texts.push(text);
    expect(texts).toEqual(await textsOf(loader, { shuffle: false }));
  });

  test("has a fingerprint that equal data share and no other", async () => {
    const fingerprint = async (sentences: number) => (await create({ sentences })).fingerprint();
    expect(await fingerprint(100)).toBe(await fingerprint(100));
    expect(await fingerprint(101)).not.toBe(await fingerprint(100));
  });

  test.each([[{ sentences: 9 }], [{ sentences: 4901 }], [{ sentences: 10.5 }], [{ sentence: 100 }]])(
    "refuses the options %j",
    async (options) => {
      await expect(create(options)).rejects.toThrow(RegistryOptionsError);
    },
  );
});

describe("toy_trainer", () => {
  const create = (options?: unknown): Promise<Trainer> => registries.trainers.create("toy_trainer", options);
  interface Saved {
    readonly step: number;
    readonly state: unknown;
    readonly weights: ReadonlyMap<string, ArrayLike<number>>;
  }

  /** What a run would give to a trainer; what is saved is copied, since a checkpoint's memory is the live one. */
  async function context(signal = new AbortController().signal, maxPositionEmbeddings = 32) {
    const tokenizer = await registries.tokenizers.create("toy_tokenizer");
    const { vocabSize } = tokenizer;
    const saved: Saved[] = [];
    const given: TrainingContext = {
      tokenizer,
      model: await registries.models.create("toy_model", { vocabSize, maxPositionEmbeddings }),
      data: await registries.dataLoaders.create("toy_data_loader"),
      metrics: [{ name: "toy_metric", metric: await registries.metrics.create("toy_metric") }],
      seed: 1,
      signal,
      saveCheckpoint: async ({ step, state, parameters }) => {
        const weights = new Map(
          [...parameters].map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]),
        );
        saved.push({ step, state, weights });
        return `checkpoints/step-${step}`;
      },
    };
    return { given, saved };
  }

  async function trained(options: unknown, given: TrainingContext): Promise<TrainingEvent[]> {
    const events: TrainingEvent[] = [];
    for await (const event of (await create(options)).train(given)) events.push(event);
    return events;
  }

  test("moves the weights by the learning rate times the gradient", async () => {
    const { given, saved } = await context();
    await trained({ maxSteps: 1, learningRate: 0.25 }, given);
    const events = await trained({ maxSteps: 2, learningRate: 0.25 }, given);
    const [before, after] = saved.map(({ weights }) => weights);
    let squares = 0;
    for (const [name, values] of after ?? [])
      for (let i = 0; i < values.length; i++)
        squares += ((values[i] ?? Number.NaN) - (before?.get(name)?.[i] ?? Number.NaN)) ** 2;
    const { gradientNorm } = events.find((event) => event.type === "step" && event.step === 2) as StepEvent;
    expect(gradientNorm).toBeGreaterThan(0.1);
    expect(Math.sqrt(squares) / (0.25 * gradientNorm)).toBeCloseTo(1, 4);
  });

  test("yields its steps, an evaluation, a checkpoint and the end", async () => {
    const { given, saved } = await context();
    expect((await create({ maxSteps: 3 })).maxSteps).toBe(3);
    const events = await trained({ maxSteps: 3 }, given);
    expect(events.map(({ type, step }: TrainingEvent & { step?: number }) => `${type} ${step}`)).toEqual([
      "step 1",
      "step 2",
      "step 3",
      "evaluation 3",
      "checkpoint 3",
      "end 3",
    ]);
    expect(events[3]).toMatchObject({ split: "validation", metrics: { toy_metric: expect.any(Number) } });
    expect(saved[0]).toMatchObject({ step: 3, state: { data: { epoch: 0, start: 48 }, sequenceLength: 32 } });
  });

  test("saves and ends at the step after which it was interrupted", async () => {
    const stop = new AbortController();
    const { given, saved } = await context(stop.signal);
    const events: TrainingEvent[] = [];
    for await (const event of (await create({ maxSteps: 100 })).train(given)) {
      events.push(event);
      if (event.type === "step" && event.step === 2) stop.abort();
    }
    expect(events.slice(2)).toEqual([
      { type: "checkpoint", step: 2, path: "checkpoints/step-2" },
      { type: "end", step: 2, reason: "interrupted" },
    ]);
    expect(saved[0]?.step).toBe(2);
  });

  test("says once that examples are cut", async () => {
    const { given } = await context(undefined, 8);
    const events = await trained({ maxSteps: 3 }, given);
    const warnings = events.filter(({ type }) => type === "warning");
    expect(warnings).toEqual([
      {
        ...{ type: "warning", code: "TRUNCATED", message: expect.stringContaining("sequenceLength is 8") },
        numbers: { examples: expect.any(Number) },
      },
    ]);
  });

  test.each([[{ maxSteps: 0 }], [{ batchSize: 1.5 }], [{ learningRate: -1 }], [{ steps: 3 }]])(
    "refuses the options %j",
    async (options) => {
      await expect(create(options)).rejects.toThrow(RegistryOptionsError);
    },
  );
});
