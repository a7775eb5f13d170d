/**
 * The registry's rules, one test each: read this first when you write a plugin.
 *
 * How packages are found, and what happens when they collide, is in registry/discovery.test.ts.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as fc from "fast-check";
import ts from "typescript";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  createRegistries,
  defineMetric,
  getMetric,
  InvalidOptionError,
  type Metric,
  type MetricFunction,
  metricRegistry,
  type Registry,
  RegistryConflictError,
  RegistryContractError,
  RegistryError,
  RegistryFactoryError,
  RegistryLoadError,
  RegistryNameError,
  RegistryNotFoundError,
  RegistryOptionsError,
  registerMetric,
} from "../src/faces/registry.ts";
import { createRegistry } from "../src/registry/index.ts";

/** A metric in its simplest form: a function of predictions and references. */
const constant =
  (value: number): MetricFunction =>
  () =>
    value;
const compute = (metric: Metric): unknown =>
  typeof metric === "function" ? metric({ predictions: [], references: [] }) : metric.compute();

/** The error that a promise rejects with, which must be of this class. */
async function rejection<E extends Error>(
  promise: Promise<unknown>,
  type: new (...args: never[]) => E,
): Promise<E> {
  const outcome: unknown = await promise.then(
    () => "it did not reject",
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(type);
  return outcome as E;
}

/** The error that a call throws, which must be of this class. */
function thrown<E extends Error>(call: () => unknown, type: new (...args: never[]) => E): E {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(type);
    return error as E;
  }
  throw new Error("it did not throw");
}

// A set of registries by itself, which looks at no package: what one test registers no other test sees.
let metrics: Registry<Metric>;
beforeEach(() => {
  metrics = createRegistries({ plugins: false }).metrics;
});

describe("Registering", () => {
  test("a function of the options is a factory", async () => {
    metrics.register("toy", (options: { value: number }) => constant(options.value));
    expect(compute(await metrics.create("toy", { value: 7 }))).toBe(7);
  });

  test("a function is given an empty object when there are no options", async () => {
    metrics.register("toy", (options: { value?: number }) => constant(options.value ?? 3));
    expect(compute(await metrics.create("toy"))).toBe(3);
  });

  test("a factory may be asynchronous", async () => {
    metrics.register("toy", async () => constant(1));
    expect(compute(await metrics.create("toy"))).toBe(1);
  });

  test("a class is a factory, and its constructor takes the options", async () => {
    class Toy {
      readonly reads = [] as const;
      readonly value: number;
      constructor(options: { value: number }) {
        this.value = options.value;
      }
      update() {}
      compute() {
        return this.value;
      }
      reset() {}
      state() {
        return null;
      }
      merge() {}
    }
    metrics.register("toy", Toy);
    const toy = await metrics.create("toy", { value: 5 });
    expect(toy).toBeInstanceOf(Toy);
    expect(compute(toy)).toBe(5);
  });

  test("a definition describes itself, and its schema validates and completes the options", async () => {
    const toy = defineMetric({
      description: "Always the same.",
      options: z.strictObject({ value: z.number().default(4) }),
      create: (options) => constant(options.value),
    });
    metrics.register("toy", toy);
    expect(metrics.inspect("toy").description).toBe("Always the same.");
    expect(compute(await metrics.create("toy"))).toBe(4);
    expect(compute(await metrics.create("toy", { value: 2 }))).toBe(2);
  });

  test("a factory is told the folder that relative paths refer to: by default the working directory", async () => {
    const told: string[] = [];
    metrics.register("toy", (_options, context) => {
      told.push(context.directory);
      return constant(0);
    });
    await metrics.create("toy");
    await metrics.create("toy", {}, { directory: "/somewhere" });
    expect(told).toEqual([process.cwd(), "/somewhere"]);
  });

  test("the curried form registers and gives the very factory back", async () => {
    const build = () => constant(9);
    expect(metrics.register("toy")(build)).toBe(build);
    expect(await metrics.get("toy")).toBe(build);
  });

  test("the curried form takes the same options before the factory", () => {
    metrics.register("toy", { aliases: ["t"], description: "A toy." })(() => constant(9));
    expect(metrics.inspect("t")).toMatchObject({ name: "toy", description: "A toy." });
  });

  test("the decorator form registers a class, which stays what it is", async () => {
    const { declareDecoratedMetric, declareCurriedMetric } = await compileDecorators();
    const Decorated = declareDecoratedMetric(metrics.register);
    declareCurriedMetric(metrics.register);
    expect(Decorated.name).toBe("Decorated");
    expect(await metrics.get("decorated")).toBe(Decorated);
    expect(await metrics.create("deco", { step: 2 })).toBeInstanceOf(Decorated);
    expect(compute(await metrics.create("curried", { offset: 2 }))).toBe(2);
  });

  test("register is bound, so that it can be handed around by itself", () => {
    const { register } = metrics;
    register("toy", () => constant(0));
    expect(metrics.has("toy")).toBe(true);
  });

  test("what cannot build a component is refused at once, and so is an import that gave undefined", () => {
    for (const wrong of [undefined, null, 42, "a name", { options: {} }, { create: 1 }])
      expect(() => metrics.register("toy", wrong as never), String(wrong)).toThrow(RegistryError);
    expect(() => metrics.register("toy", undefined as never)).toThrow(
      /undefined is no factory.*a function, a class/,
    );
    expect(metrics.has("toy")).toBe(false);
  });

  test("a misspelt registration option is refused, not ignored", () => {
    const options = { overide: true } as never;
    expect(() => metrics.register("toy", () => constant(0), options)).toThrow(
      /"overide"; did you mean "override"/,
    );
    expect(() => metrics.register("toy", options)).toThrow(/"overide"/);
  });

  test("unregister takes back what the program registered, with its aliases, and nothing else", () => {
    metrics.register("toy", () => constant(0), { aliases: ["t"] });
    expect(metrics.unregister("t")).toBe(true);
    expect([metrics.has("toy"), metrics.has("t")]).toEqual([false, false]);
    expect(metrics.unregister("toy")).toBe(false);
    expect(metrics.unregister("perplexity")).toBe(false);
    expect(metrics.has("perplexity")).toBe(true);
  });
});

describe("Asking", () => {
  test("get gives the factory, create an instance, and each call of create a new one", async () => {
    const build = () => ({ ...streaming(), reads: [] });
    metrics.register("toy", build);
    expect(await metrics.get("toy")).toBe(build);
    expect(await metrics.create("toy")).not.toBe(await metrics.create("toy"));
  });

  test("a built-in is asked for by its name like everything else", async () => {
    const perplexity = await metrics.create("perplexity");
    expect(perplexity).toHaveProperty("compute");
    expect(metrics.inspect("perplexity").origin.status).toBe("loaded");
  });

  test("an unknown name is an error with the closest names, all names, and how to add one", async () => {
    const error = await rejection(metrics.get("perplexty"), RegistryNotFoundError);
    expect(error.code).toBe("REGISTRY_NOT_FOUND");
    expect(error.closest).toEqual(["perplexity"]);
    expect(error.names).toEqual(metrics.list());
    expect(error.message).toContain('There is no metric "perplexty". Did you mean "perplexity"?');
    expect(error.message).toContain(`Known metrics: ${metrics.list().join(", ")}.`);
    expect(error.message).toContain('"codex_ml.metrics"');
  });

  test("an alias is suggested as well", async () => {
    expect((await rejection(metrics.get("pppl"), RegistryNotFoundError)).closest).toEqual(["ppl"]);
  });

  test("listing, asking whether, and inspecting import nothing", () => {
    let imports = 0;
    const load = async () => {
      imports++;
      return () => constant(0);
    };
    const kind = {
      ...metrics.kind,
      builtins: { lazy: { load } },
    };
    const registry = createRegistry(kind, { plugins: false });
    registry.list();
    registry.entries();
    registry.problems();
    registry.has("lazy");
    expect(registry.inspect("lazy").origin.status).toBe("declared");
    expect(imports).toBe(0);
  });

  test("asking at the same time imports once, and the result is kept", async () => {
    let imports = 0;
    const load = async () => {
      imports++;
      await new Promise((done) => setTimeout(done, 5));
      return () => constant(0);
    };
    const registry = createRegistry({ ...metrics.kind, builtins: { lazy: { load } } }, { plugins: false });
    const factories = await Promise.all([registry.get("lazy"), registry.get("LAZY"), registry.get("lazy")]);
    await registry.create("lazy");
    expect(new Set(factories).size).toBe(1);
    expect(imports).toBe(1);
  });

  test("a failed load says what failed and why, and may be tried again", async () => {
    let attempts = 0;
    const cause = new Error("the disk is on fire");
    const load = () => {
      if (++attempts === 1) throw cause;
      return Promise.resolve(() => constant(6));
    };
    const registry = createRegistry({ ...metrics.kind, builtins: { flaky: { load } } }, { plugins: false });
    const error = await rejection(registry.create("flaky"), RegistryLoadError);
    expect(error).toMatchObject({
      code: "REGISTRY_LOAD_FAILED",
      component: "flaky",
      package: "codex-ml",
      cause,
    });
    expect(error.message).toContain("the disk is on fire");
    expect(registry.inspect("flaky").origin).toMatchObject({ status: "failed", error });
    expect(compute(await registry.create("flaky"))).toBe(6);
    expect(registry.inspect("flaky").origin).toMatchObject({ status: "loaded", error: undefined });
  });
});

describe("Names", () => {
  test("case and surrounding space do not matter", async () => {
    metrics.register(" Toy ", () => constant(1));
    expect(metrics.list()).toContain("toy");
    expect(compute(await metrics.create("TOY"))).toBe(1);
  });

  test("a name is letters, digits and @ : . _ - with a letter or digit first", () => {
    for (const name of [
      "a",
      "7",
      "f7",
      "accuracy@5",
      "rouge:l",
      "v1.2",
      "token_f1",
      "a-b",
      "constructor",
      "tostring",
    ])
      expect(
        metrics.register(name, () => constant(0)),
        name,
      ).toBeTypeOf("function");
  });

  test.each([
    ["", "at least one character"],
    ["   ", "at least one character"],
    ["two words", '" " (U+0020) cannot be in a name'],
    ["naïve", '"ï" (U+00EF) cannot be in a name'],
    ["метрика", '"м" (U+043C) cannot be in a name'],
    ["to\u212Aen", '"\u212A" (U+212A) cannot be in a name'],
    ["toy🎲", '"🎲" (U+1F3B2) cannot be in a name'],
    ["a\u0000b", '"\\u0000" (U+0000) cannot be in a name'],
    ["__proto__", 'not with "_"'],
    [".hidden", 'not with "."'],
  ])("%j is no name, and the error shows why", async (name, why) => {
    const error = thrown(() => metrics.register(name, () => constant(0)), RegistryNameError);
    expect(error.code).toBe("REGISTRY_NAME_INVALID");
    expect(error.message).toContain(why);
    await rejection(metrics.create(name), RegistryNameError);
    expect(metrics.has(name)).toBe(false);
  });

  test("what is no string is no name", async () => {
    for (const name of [undefined, null, 42, {}, Symbol("toy")]) {
      expect(metrics.has(name as never)).toBe(false);
      await rejection(metrics.get(name as never), RegistryNameError);
    }
  });

  test("members of Object.prototype are names like others: unknown until registered", async () => {
    for (const name of ["constructor", "tostring", "hasownproperty", "valueof"]) {
      expect(metrics.has(name)).toBe(false);
      await rejection(metrics.get(name), RegistryNotFoundError);
    }
  });

  test("a name of 300 characters works, and is shortened in messages", async () => {
    const name = "x".repeat(300);
    const error = await rejection(metrics.get(name), RegistryNotFoundError);
    expect(error.message.split("\n")[0]?.length).toBeLessThan(120);
    metrics.register(name, () => constant(1));
    expect(compute(await metrics.create(name))).toBe(1);
  });

  test("package/name means that package's component and no other", async () => {
    metrics.register("perplexity", () => constant(1), { override: true });
    expect(compute(await metrics.create("perplexity"))).toBe(1);
    expect(await metrics.create("codex-ml/perplexity")).toHaveProperty("compute");
    const error = await rejection(metrics.get("nobody/perplexity"), RegistryNotFoundError);
    expect(error.closest).toEqual([]);
    await rejection(metrics.get("../evil/perplexity"), RegistryNameError);
  });

  test("any string either is a name, the same in every case, or is refused with an error of ours", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        const { metrics } = createRegistries({ plugins: false });
        try {
          metrics.register(name, () => constant(0), { override: true });
        } catch (error) {
          return error instanceof RegistryNameError && !metrics.has(name);
        }
        return metrics.has(name) && /^[a-z0-9][a-z0-9@:._-]*$/.test(metrics.inspect(name).name);
      }),
    );
  });
});

describe("Collisions in the program", () => {
  test("a second registration of a name is an error that names both places", () => {
    metrics.register("toy", () => constant(1)); // first
    const error = thrown(() => metrics.register("TOY", () => constant(2)), RegistryConflictError); // second
    expect(error.code).toBe("REGISTRY_CONFLICT");
    expect(error.origins.map(({ location }) => location)).toEqual([lineOf("// first"), lineOf("// second")]);
    for (const { location } of error.origins) expect(error.message).toContain(location);
    expect(error.message).toContain("{ override: true }");
  });

  test("the first registration stays after a conflict", async () => {
    metrics.register("toy", () => constant(1));
    expect(() => metrics.register("toy", () => constant(2))).toThrow(RegistryConflictError);
    expect(compute(await metrics.create("toy"))).toBe(1);
  });

  test("a built-in is not replaced by accident", () => {
    expect(() => metrics.register("perplexity", () => constant(1))).toThrow(/built into codex-ml@/);
    expect(() => metrics.register("ppl", () => constant(1))).toThrow(RegistryConflictError);
  });

  test("{ override: true } replaces, and the origin remembers what", async () => {
    metrics.register("toy", () => constant(1));
    metrics.register("toy", () => constant(2), { override: true });
    metrics.register("perplexity", () => constant(3), { override: true });
    expect(compute(await metrics.create("toy"))).toBe(2);
    expect(metrics.inspect("toy").origin.replaced).toMatchObject({ kind: "program" });
    expect(metrics.inspect("perplexity").origin).toMatchObject({
      kind: "program",
      replaced: { kind: "builtin" },
    });
  });

  test("a built-in that was overridden is listed as shadowed, and answers again after unregister", () => {
    metrics.register("perplexity", () => constant(3), { override: true });
    const both = metrics.entries().filter(({ name }) => name === "perplexity");
    expect(both.map(({ origin }) => [origin.kind, origin.status])).toEqual([
      ["program", "loaded"],
      ["builtin", "shadowed"],
    ]);
    metrics.unregister("perplexity");
    expect(metrics.inspect("perplexity").origin.kind).toBe("builtin");
  });
});

describe("Aliases", () => {
  test("an alias is another spelling, and is not listed as a name", async () => {
    metrics.register("toy", () => constant(1), { aliases: ["t", "Tiny"] });
    expect(compute(await metrics.create("TINY"))).toBe(1);
    expect(metrics.inspect("t")).toMatchObject({ name: "toy", aliases: ["t", "tiny"] });
    expect(metrics.list()).not.toContain("t");
  });

  test("all names are had or none: one taken alias and nothing is registered", () => {
    expect(() => metrics.register("toy", () => constant(1), { aliases: ["t", "ppl"] })).toThrow(
      RegistryConflictError,
    );
    expect([metrics.has("toy"), metrics.has("t")]).toEqual([false, false]);
    expect(metrics.inspect("ppl").name).toBe("perplexity");
  });

  test("who answers for a name answers for its aliases", async () => {
    metrics.register("perplexity", () => constant(3), { override: true });
    expect(compute(await metrics.create("ppl"))).toBe(3);
  });

  test("an alias that another registration takes over is no longer the first one's", async () => {
    metrics.register("toy", () => constant(1), { aliases: ["t"] });
    metrics.register("tiny", () => constant(2), { aliases: ["t"], override: true });
    expect(compute(await metrics.create("t"))).toBe(2);
    expect(compute(await metrics.create("toy"))).toBe(1);
    expect(metrics.inspect("toy").aliases).toEqual([]);
  });
});

describe("Options", () => {
  const define = () =>
    metrics.register(
      "toy",
      defineMetric({
        options: z.strictObject({
          windowSize: z.number().positive().default(8),
          smoothing: z.strictObject({ kind: z.enum(["add", "none"]).default("none") }).optional(),
        }),
        create: (options) => constant(options.windowSize),
      }),
    );

  test("every bad option is reported: where, what was expected, what came", async () => {
    define();
    const error = await rejection(
      metrics.create("toy", { windowSize: -1, smoothing: { kind: "ad" } }),
      RegistryOptionsError,
    );
    expect(error.code).toBe("REGISTRY_OPTIONS_INVALID");
    expect(error.issues.map(({ path }) => path)).toEqual([["windowSize"], ["smoothing", "kind"]]);
    expect(error.message).toMatch(/windowSize: .*>0.*\(got -1\)/);
    expect(error.message).toMatch(/smoothing\.kind: .*"add".*\(got "ad"\)/);
  });

  test("an option that is missing is said to be missing, and what it should be", async () => {
    const options = z.object({ path: z.string(), size: z.number() });
    metrics.register("toy", defineMetric({ options, create: () => constant(0) }));
    const error = await rejection(metrics.create("toy", { size: "1" }), RegistryOptionsError);
    expect(error.issues).toEqual([
      { path: ["path"], message: "missing; expected string" },
      { path: ["size"], message: 'Invalid input: expected number (got "1")' },
    ]);
  });

  test("every unknown option is an issue of its own, with the closest name", async () => {
    define();
    const error = await rejection(
      metrics.create("toy", { window_size: 1, colour: "red", smoothing: { kid: "add" } }),
      RegistryOptionsError,
    );
    expect(error.issues).toEqual([
      { path: ["smoothing", "kid"], message: "unknown option", closest: "kind" },
      { path: ["window_size"], message: "unknown option", closest: "windowSize" },
      { path: ["colour"], message: 'unknown option; known are "windowSize", "smoothing"' },
    ]);
    expect(error.message).toContain('window_size: unknown option; did you mean "windowSize"?');
  });

  test("of an option that is a name or an object, the form that was meant says what is wrong", async () => {
    const forms = z.discriminatedUnion("name", [
      z.strictObject({ name: z.literal("linear"), slope: z.number().positive().default(1) }),
      z.strictObject({ name: z.literal("cosine"), cycles: z.number().default(1) }),
    ]);
    const options = z.strictObject({ shape: z.union([z.enum(["linear", "cosine"]), forms]) });
    metrics.register("toy", defineMetric({ options, create: () => constant(0) }));
    const issues = async (shape: unknown) =>
      (await rejection(metrics.create("toy", { shape }), RegistryOptionsError)).issues;
    expect(await issues("cosin")).toMatchObject([{ path: ["shape"], closest: "cosine" }]);
    expect(await issues({ name: "lineal" })).toMatchObject([{ path: ["shape", "name"], closest: "linear" }]);
    expect(await issues({ name: "cosine", cycle: 2 })).toEqual([
      { path: ["shape", "cycle"], message: "unknown option", closest: "cycles" },
    ]);
    expect(await issues({ name: "cosine", slope: 2 })).toEqual([
      { path: ["shape", "slope"], message: 'unknown option; known are "name", "cycles"' },
    ]);
    expect(await issues({ name: "linear", slope: -1 })).toMatchObject([
      { path: ["shape", "slope"], message: expect.stringMatching(/>0 \(got -1\)/) },
    ]);
  });

  test("any Standard Schema will do, asynchronous ones too", async () => {
    metrics.register("toy", {
      options: {
        "~standard": {
          version: 1,
          vendor: "by-hand",
          validate: async (value: unknown) =>
            (value as { n?: unknown }).n === 1
              ? { value: { n: 10 } }
              : { issues: [{ message: "n is 1", path: [{ key: "n" }] }] },
        },
      },
      create: (options: { n: number }) => constant(options.n),
    });
    expect(compute(await metrics.create("toy", { n: 1 }))).toBe(10);
    const error = await rejection(metrics.create("toy", { n: 2 }), RegistryOptionsError);
    expect(error.issues).toEqual([{ path: ["n"], message: "n is 1 (got 2)" }]);
  });

  test("a schema with a part that JSON Schema cannot express still suggests names", async () => {
    const options = z.strictObject({ after: z.date().optional(), windowSize: z.number().optional() });
    metrics.register("toy", defineMetric({ options, create: () => constant(0) }));
    const error = await rejection(metrics.create("toy", { windowsize: 1 }), RegistryOptionsError);
    expect(error.issues).toMatchObject([{ path: ["windowsize"], closest: "windowSize" }]);
  });

  test("a definition without a schema takes no options, and names those it was given", async () => {
    metrics.register("toy", defineMetric({ create: () => constant(0) }));
    for (const none of [undefined, {}]) await metrics.create("toy", none);
    const error = await rejection(metrics.create("toy", { a: 1, b: 2 }), RegistryOptionsError);
    expect(error.issues.map(({ path }) => path)).toEqual([["a"], ["b"]]);
  });

  test("a factory may blame an option for what no schema can see", async () => {
    const cause = new Error("ENOENT");
    metrics.register("toy", () => {
      throw new InvalidOptionError("path", "there is no file ./x.txt", { cause });
    });
    const error = await rejection(metrics.create("toy", { path: "./x.txt" }), RegistryOptionsError);
    expect(error.issues).toEqual([{ path: ["path"], message: "there is no file ./x.txt" }]);
    expect(error.cause).toHaveProperty("cause", cause);
  });
});

describe("Contracts", () => {
  test("a factory that throws is reported as that factory's error, with the original as cause", async () => {
    const cause = new TypeError("boom");
    metrics.register("toy", () => {
      throw cause;
    });
    const error = await rejection(metrics.create("toy"), RegistryFactoryError);
    expect(error).toMatchObject({ code: "REGISTRY_FACTORY_FAILED", component: "toy", cause });
    expect(error.message).toMatch(/metric "toy" \(registered at .*registry\.test\.ts:\d+\): TypeError: boom/);
  });

  test("a component that breaks its contract: which, from where, what it returned, what was expected", async () => {
    metrics.register("toy", () => ({ ...streaming(), merge: undefined }) as never);
    const error = await rejection(metrics.create("toy"), RegistryContractError);
    expect(error.code).toBe("REGISTRY_CONTRACT_BROKEN");
    expect(error.message).toMatch(/metric "toy" \(registered at .*:\d+\)/);
    expect(error.message).toContain("it returned an object { reads, update, compute, reset, state, merge }");
    expect(error.message).toContain("expected a function `merge`");
  });

  test("a factory that forgets to return breaks the contract", async () => {
    metrics.register("toy", (() => {}) as never);
    expect((await rejection(metrics.create("toy"), RegistryContractError)).message).toContain(
      "returned undefined",
    );
  });

  test("every error is a RegistryError with a stable code", async () => {
    expect(await rejection(metrics.get("nothing"), RegistryError)).toHaveProperty(
      "code",
      "REGISTRY_NOT_FOUND",
    );
    expect(thrown(() => metrics.register("", () => constant(0)), RegistryError).name).toBe(
      "RegistryNameError",
    );
  });
});

describe("Temporary registrations", () => {
  test("disposal restores what was there before: a built-in, a registration, or nothing", async () => {
    metrics.register("mine", () => constant(1));
    {
      using _scope = metrics.temporarily({
        perplexity: () => constant(2),
        mine: () => constant(2),
        fresh: () => constant(2),
      });
      for (const name of ["perplexity", "ppl", "mine", "fresh"])
        expect(compute(await metrics.create(name)), name).toBe(2);
      expect(metrics.inspect("mine").origin).toMatchObject({ kind: "temporary", status: "loaded" });
      expect(metrics.inspect("mine").origin.location).toMatch(/registry\.test\.ts:\d+$/);
    }
    expect(metrics.inspect("perplexity").origin.kind).toBe("builtin");
    expect(compute(await metrics.create("mine"))).toBe(1);
    expect(metrics.has("fresh")).toBe(false);
  });

  test("scopes may be disposed of in any order, and twice", async () => {
    const outer = metrics.temporarily({ toy: () => constant(1) });
    const inner = metrics.temporarily({ toy: () => constant(2) });
    expect(compute(await metrics.create("toy"))).toBe(2);
    outer[Symbol.dispose]();
    outer[Symbol.dispose]();
    expect(compute(await metrics.create("toy"))).toBe(2);
    inner[Symbol.dispose]();
    expect(metrics.has("toy")).toBe(false);
  });

  test("what the program registers meanwhile waits behind the scope and outlives it", async () => {
    const scope = metrics.temporarily({ toy: () => constant(1) });
    metrics.register("toy", () => constant(2));
    expect(compute(await metrics.create("toy"))).toBe(1);
    scope[Symbol.dispose]();
    expect(compute(await metrics.create("toy"))).toBe(2);
  });

  test("one bad name and nothing is registered", () => {
    expect(() => metrics.temporarily({ fine: () => constant(1), "not fine": () => constant(1) })).toThrow(
      RegistryNameError,
    );
    expect(() => metrics.temporarily({ toy: () => constant(1), TOY: () => constant(1) })).toThrow(
      RegistryConflictError,
    );
    expect([metrics.has("fine"), metrics.has("toy")]).toEqual([false, false]);
  });
});

describe("Origins", () => {
  test("a registration of the program knows its file and line", () => {
    metrics.register("toy", () => constant(0)); // here
    expect(metrics.inspect("toy").origin).toEqual({
      kind: "program",
      package: undefined,
      version: undefined,
      target: undefined,
      location: lineOf("// here"),
      status: "loaded",
      error: undefined,
    });
  });

  test("a built-in comes from this package, in its version", () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    const { origin, qualifiedName } = metrics.inspect("bits_per_byte");
    expect(origin).toMatchObject({ kind: "builtin", package: "codex-ml", version, status: "declared" });
    expect(qualifiedName).toBe("codex-ml/bits_per_byte");
  });

  test("entries are sorted by name and complete", () => {
    metrics.register("a_toy", () => constant(0));
    const names = metrics.entries().map(({ name }) => name);
    expect(names).toEqual(["a_toy", ...Object.keys(metrics.kind.builtins)].sort());
    expect(metrics.list()).toEqual(names);
  });
});

describe("Sets of registries", () => {
  test("getMetric and registerMetric speak of the process-wide registry", async () => {
    registerMetric("process_wide", (options: { value: number }) => constant(options.value));
    try {
      expect(compute(await getMetric("process_wide", { value: 8 }))).toBe(8);
      expect(metricRegistry.has("process_wide")).toBe(true);
      expect(metrics.has("process_wide")).toBe(false);
    } finally {
      metricRegistry.unregister("process_wide");
    }
  });

  test("createRegistries gives a set by itself, with all built-ins", () => {
    const { tokenizers, models, metrics, dataLoaders, trainers } = createRegistries({ plugins: false });
    expect(tokenizers.list()).toContain("bpe");
    expect(models.list()).toContain("gpt2");
    expect(metrics.list()).toContain("perplexity");
    expect(dataLoaders.list()).toContain("text");
    expect(trainers.list()).toContain("causal_lm");
  });

  test("two copies of the package in one process share the process-wide registries", async () => {
    // A query makes it another module instance: what a second copy under node_modules would be.
    const copy: typeof import("../src/registry/global.ts") = await import(
      "../src/registry/global.ts?copy" as string
    );
    expect(copy.globalRegistry).not.toBe((await import("../src/registry/global.ts")).globalRegistry);
    expect(copy.globalRegistry(metrics.kind)).toBe(metricRegistry);
  });
});

function streaming() {
  return { reads: [], update() {}, compute: () => 0, reset() {}, state: () => 0, merge() {} };
}

/** `file:line` of the line of this file that ends in a comment. */
function lineOf(comment: string): string {
  const file = fileURLToPath(import.meta.url);
  const lines = readFileSync(file, "utf8").split("\n");
  return `${file}:${lines.findIndex((line) => line.endsWith(comment)) + 1}`;
}

async function compileDecorators(): Promise<typeof import("./registry/fixtures/decorated.ts")> {
  const source = readFileSync(new URL("./registry/fixtures/decorated.ts", import.meta.url), "utf8");
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  const file = join(await mkdtemp(join(tmpdir(), "codex-ml-decorators-")), "decorated.mjs");
  writeFileSync(file, outputText);
  return import(pathToFileURL(file).href);
}
