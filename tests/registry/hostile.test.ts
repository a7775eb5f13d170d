/** Manifests and options from somebody who means harm, or who made an unusual mistake. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  createRegistries,
  defineMetric,
  type Metric,
  type Registry,
  RegistryError,
  type RegistryOptionsError,
} from "../../src/faces/registry.ts";
import { readManifest } from "../../src/packages/manifest.ts";
import { parseOverride, setAt } from "../../src/run/overrides.ts";
import { writeFiles } from "./packages.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "codex-ml-hostile-")));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What every object has must stay what it is, whatever a test did. */
const pristine = Reflect.ownKeys(Object.prototype);
afterEach(() => expect(Reflect.ownKeys(Object.prototype)).toEqual(pristine));

/** The metrics of a project with the package `hostile`, whose manifest is this text, and one that is sound. */
function metricsBeside(manifest: string): Registry<Metric> {
  writeFiles(directory, {
    "package.json":
      '{ "dependencies": { "hostile": "*", "sound": "*", "__proto__": "*", "constructor": "*" } }',
    "node_modules/hostile/package.json": manifest,
    "node_modules/hostile/index.js": "export const build = () => () => 1;",
    "node_modules/sound/package.json":
      '{ "type": "module", "codexMl": { "codex_ml.metrics": { "sound": "./index.js#build" } } }',
    "node_modules/sound/index.js": "export const build = () => () => 2;",
  });
  return createRegistries({ root: directory }).metrics;
}

describe("A manifest", () => {
  test("with __proto__ wherever a name stands changes nothing but itself", async () => {
    const metrics = metricsBeside(`{
      "type": "module",
      "__proto__": { "codexMl": 1 },
      "codexMl": {
        "__proto__": { "codex_ml.metrics": { "inherited": "./index.js#build" } },
        "constructor": { "prototype": { "polluted": true } },
        "codex_ml.metrics": {
          "__proto__": "./index.js#build",
          "constructor": "./index.js#build",
          "toString": "./index.js#build",
          "misled": { "target": "./index.js#build", "__proto__": { "aliases": ["x"] } },
          "absent": "./index.js#hasOwnProperty",
          "proto": "./index.js#__proto__"
        },
        "pins": { "__proto__": "hostile", "metrics/__proto__": "hostile" }
      }
    }`);
    expect(metrics.list()).toEqual(expect.arrayContaining(["constructor", "sound", "tostring"]));
    for (const name of ["inherited", "misled", "x"]) expect(metrics.has(name), name).toBe(false);
    const messages = metrics.problems().map(({ message }) => message);
    for (const part of ['unknown key "__proto__"', 'unknown key "constructor"', 'metrics, "__proto__": '])
      expect(messages.join("\n")).toContain(part);
    for (const name of ["constructor", "tostring", "sound"])
      expect(await metrics.get(name), name).toBeTypeOf("function");
    for (const name of ["absent", "proto"])
      await expect(metrics.get(name), name).rejects.toThrow(/has no export/);
  });

  test("of any shape is read without a throw, and the package beside it works", () => {
    const key = fc.constantFrom(
      "codexMl",
      "codex_ml.metrics",
      "name",
      "version",
      "exports",
      "main",
      "peerDependencies",
      "codex-ml",
      "plugins",
      "pins",
      "target",
      "aliases",
      "description",
      ".",
      "./index.js",
      "__proto__",
      "constructor",
    );
    const leaf = fc.oneof(
      fc.constantFrom("./index.js#build", ".", "./*", "^0.1.0", "", null, true, -0, 1e300),
      fc.string({ unit: "binary" }),
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        leaf,
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(fc.oneof(key, fc.string()), tie("tree"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.dictionary(key, tree), (field, manifest) => {
        readManifest(field, (message) => expect(message).toBeTypeOf("string"));
        const text = JSON.stringify({ codexMl: { "codex_ml.metrics": field }, ...manifest });
        const metrics = metricsBeside(text);
        metrics.entries();
        metrics.problems();
        expect(metrics.has("sound")).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe("Options", () => {
  let metrics: Registry<Metric>;
  beforeEach(() => {
    metrics = createRegistries({ plugins: false }).metrics;
    const options = z.strictObject({ size: z.number().optional(), inner: z.looseObject({}).optional() });
    metrics.register("strict", defineMetric({ options, create: () => () => 0 }));
    metrics.register("loose", defineMetric({ options: z.looseObject({}), create: () => () => 0 }));
    metrics.register("none", defineMetric({ create: () => () => 0 }));
    metrics.register("plain", (given: { x?: number }) => () => given.x ?? 0);
  });

  const unsafe: [string, string[]][] = [
    ['{ "__proto__": { "x": 1 }, "constructor": { "prototype": {} } }', ["__proto__", "constructor"]],
    ['{ "inner": { "__proto__": { "x": 1 } } }', ["inner.__proto__"]],
    [
      '{ "inner": { "list": [1, { "constructor": { "prototype": { "x": 1 } } }] } }',
      ["inner.list.1.constructor"],
    ],
  ];
  test.each(unsafe)(
    "with a key that leads to a prototype are refused by every factory, at any depth: %s",
    async (json, paths) => {
      // What reaches this one must be safe to merge without care.
      let merged = 0;
      metrics.register("merges", (given: Record<string, unknown>) => {
        merged++;
        merge({}, given);
        return () => 0;
      });
      for (const name of ["strict", "none", "loose", "plain", "merges"]) {
        const error = await metrics.create(name, JSON.parse(json)).catch((error: unknown) => error);
        expect(error, name).toMatchObject({ code: "REGISTRY_OPTIONS_INVALID", component: name });
        const { issues } = error as RegistryOptionsError;
        expect(
          issues.map(({ path }) => path.join(".")),
          name,
        ).toEqual(paths);
        expect((error as Error).message).toContain("leads to the prototype of every object");
      }
      expect(merged).toBe(0);
      expect(({} as { x?: unknown }).x).toBeUndefined();
    },
  );

  test("may have such words as values and as names of plain data", async () => {
    const vocabulary = { constructor: 1, prototype: 2, __proto: 3, hasOwnProperty: "__proto__" };
    metrics.register("words", (given: typeof vocabulary) => () => Object.keys(given).length);
    const metric = await metrics.create("words", vocabulary);
    expect(metric).toBeTypeOf("function");
  });

  test.each(["__proto__.x", "constructor.prototype.x", "metrics.0.__proto__.x", "model.options.__proto__.x"])(
    "set by path reach no prototype: --set %s=1",
    (path) => {
      const problems: never[] = [];
      const override = parseOverride(`${path}=1`, problems);
      if (override === undefined) throw new Error("it was not read");
      const before = JSON.stringify(pristine);
      const result = setAt({ metrics: [{ name: "perplexity" }], model: { options: {} } }, override);
      expect(JSON.stringify(Reflect.ownKeys(Object.prototype))).toBe(before);
      expect(({} as { x?: unknown }).x).toBeUndefined();
      // It stays where it was put, so that the check of the run's keys refuses it by its name.
      expect(JSON.stringify(result)).toContain(`{"x":1}`);
    },
  );

  const fail = (message: string): never => {
    throw new Error(message);
  };
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const throwing = {
    get size(): number {
      throw new Error("no size today");
    },
  };
  const options = "REGISTRY_OPTIONS_INVALID";
  const factory = "REGISTRY_FACTORY_FAILED";
  // What each of the two makes of it: `strict` has a schema, `none` takes no options.
  test.each<[string, unknown, strict: string, none: string]>([
    ["a string", "size", options, options],
    ["a number", 1n, options, options],
    ["a list", [1], options, options],
    ["a function", () => 1, options, options],
    ["a map", new Map([["size", 1]]), options, options],
    ["a promise of options", Promise.resolve({ size: 1 }), options, options],
    [
      "an instance whose fields are no options",
      new (class Sizes {
        sise = 1;
      })(),
      options,
      options,
    ],
    [
      "an instance of a class with the right fields",
      new (class Sizes {
        size = 1;
      })(),
      "built",
      options,
    ],
    [
      "an object without a prototype",
      Object.create(null, { sise: { value: 1, enumerable: true } }),
      options,
      options,
    ],
    ["a cycle", cycle, options, options],
    ["a getter that throws", throwing, factory, options],
    ["a proxy that throws", new Proxy({}, { ownKeys: () => fail("no keys today") }), factory, factory],
    ["a symbol", Symbol("size"), options, options],
    ["a date inside", { size: new Date(0) }, options, options],
    ["no number", { size: Number.NaN }, options, options],
  ])(
    "that are %s are read as what they are, or refused with an error of ours",
    async (_, given, strict, none) => {
      const outcome = async (name: string) =>
        metrics.create(name, given).then(
          () => "built",
          (error: unknown) => (error instanceof RegistryError ? error.code : error),
        );
      expect([await outcome("strict"), await outcome("none")]).toEqual([strict, none]);
      // And the next one works.
      expect(await metrics.create("strict", { size: 1 })).toBeTypeOf("function");
    },
  );
});

test("what is temporary while packages are looked for again goes before them, and they answer afterwards", async () => {
  const metrics = metricsBeside("{}");
  {
    using _scope = metrics.temporarily({ sound: () => () => 9 });
    metrics.refresh();
    expect(metrics.inspect("sound").origin.kind).toBe("temporary");
    expect(metrics.inspect("sound/sound").origin.status).toBe("shadowed");
    metrics.refresh();
  }
  expect(metrics.inspect("sound").origin).toMatchObject({ kind: "entry-point", status: "declared" });
});

/** A merge as many packages have it, which follows `__proto__`. */
function merge(into: Record<string, unknown>, from: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(from))
    if (typeof value === "object" && value !== null) {
      into[key] ??= {};
      merge(into[key] as Record<string, unknown>, value as Record<string, unknown>);
    } else into[key] = value;
}
