/** How packages are found: with real packages, packed and installed by npm. */
import { mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  configurePlugins,
  createRegistries,
  type DiscoveryOptions,
  metricRegistry,
  RegistryConflictError,
  RegistryLoadError,
  RegistryNotFoundError,
} from "../../src/faces/registry.ts";
import { Installation, type PackageSource } from "./packages.ts";

const GROUP = "codex_ml.metrics";

/** A module that counts how often it is imported, and whose factories build a metric of one value. */
const countingModule = (id: string, exports: string) => `
  globalThis.importsOf ??= {};
  globalThis.importsOf[${JSON.stringify(id)}] = (globalThis.importsOf[${JSON.stringify(id)}] ?? 0) + 1;
  ${exports}
`;
const importsOf = (id: string): number =>
  (globalThis as { importsOf?: Record<string, number> }).importsOf?.[id] ?? 0;

const plugin = (
  name: string,
  entries: Record<string, unknown>,
  files: Record<string, string>,
  more: Record<string, unknown> = {},
): PackageSource => ({
  manifest: {
    name,
    version: "1.2.0",
    type: "module",
    exports: { "./metric": "./dist/metric.js" },
    codexMl: { [GROUP]: entries },
    ...more,
  },
  files,
});

const sources: PackageSource[] = [
  // `exports` gives "./metric" and hides everything else, package.json too.
  plugin(
    "my-extension",
    {
      toy_metric: "./metric#build",
      toy_metric_v2: { target: "./metric#buildV2", aliases: ["toy2"], description: "The second toy." },
      no_such_export: "./metric#bild",
      not_a_factory: "./metric#version",
      default_export: "./metric",
    },
    {
      "dist/metric.js": countingModule(
        "my-extension",
        `export const build = ({ value = 1 }) => () => value;
         export const buildV2 = () => () => 2;
         export const version = "1.2.0";
         export default { description: "d", create: () => () => 3 };`,
      ),
    },
    { peerDependencies: { "codex-ml": ">=0.0.1" } },
  ),
  // Claims what my-extension claims, and a built-in.
  plugin(
    "other-extension",
    { toy_metric: "./metric#build", perplexity: "./metric#build" },
    { "dist/metric.js": "export const build = () => () => 20;" },
    { version: "2.0.0" },
  ),
  plugin("@scope/scoped", { scoped: "./metric" }, { "dist/metric.js": "export default () => () => 4;" }),
  plugin(
    "conditional",
    { by_pattern: "./metrics/deep#build", by_condition: ".#build", not_exported: "./internal#build" },
    {
      "lib/import.js": "export const build = () => () => 'import';",
      "lib/require.cjs": "exports.build = () => () => 'require';",
      "lib/metrics/deep.js": "export const build = () => () => 'pattern';",
      "internal.js": "export const build = () => () => 0;",
    },
    {
      exports: {
        ".": { require: "./lib/require.cjs", browser: "./no.js", import: "./lib/import.js" },
        "./metrics/*": "./lib/metrics/*.js",
      },
    },
  ),
  // No `exports`: a file may be named. CommonJS works too.
  plugin(
    "plain-files",
    {
      cjs: "./lib/metric.cjs#build",
      main: ".#build",
      missing: "./lib/absent.js#build",
      outside: "./../my-extension/dist/metric.js#build",
    },
    { "lib/metric.cjs": "exports.build = () => () => 5;", "main.cjs": "exports.build = () => () => 6;" },
    { exports: undefined, main: "./main.cjs" },
  ),
  plugin(
    "throws",
    { throws_at_import: "./metric#build" },
    {
      "dist/metric.js":
        "if (!globalThis.mended) throw new Error('no licence found'); export const build = () => () => 7;",
    },
  ),
  plugin(
    "too-new",
    { from_the_future: "./metric" },
    { "dist/metric.js": "" },
    { peerDependencies: { "codex-ml": "^99.0.0" } },
  ),
  plugin("truncated", { truncated: "./metric" }, { "dist/metric.js": "" }),
  {
    manifest: {
      name: "sloppy",
      version: "0.1.0",
      exports: { "./metric": "./metric.mjs" },
      codexMl: {
        "codex_ml.metric": { typo: "./metric" },
        "codex_ml.models": ["./metric"],
        [GROUP]: {
          good: "./metric",
          Good: "./metric",
          "two words": "./metric",
          no_subpath: "metric#build",
          number: 7,
          misspelt: { target: "./metric", alias: ["m"] },
        },
      },
    },
    files: { "metric.mjs": "export default () => () => 8;" },
  },
  // Depends on a plugin without forwarding it; and one that forwards.
  { manifest: { name: "quiet-parent", version: "1.0.0", dependencies: { "my-extension": "1.2.0" } } },
  {
    manifest: {
      name: "preset",
      version: "1.0.0",
      dependencies: { "my-extension": "1.2.0" },
      codexMl: { plugins: ["my-extension", "not-there", "../evil"] },
    },
  },
];

const installation = new Installation();
beforeAll(() => {
  installation.install(sources);
  installation.damage("truncated", "package.json", '{ "name": "truncated", "codexMl": {');
});
afterAll(() => installation.remove());

const savedSwitch = process.env.CODEX_ML_PLUGINS;
afterEach(() => {
  if (savedSwitch === undefined) delete process.env.CODEX_ML_PLUGINS;
  else process.env.CODEX_ML_PLUGINS = savedSwitch;
});

/** The metric registry of a new project with these direct dependencies. */
function metricsOf(
  dependencies: readonly string[],
  { codexMl, ...options }: DiscoveryOptions & { codexMl?: unknown } = {},
) {
  const versions = Object.fromEntries(dependencies.map((name) => [name, "*"]));
  const root = installation.project({
    dependencies: versions,
    ...(codexMl === undefined ? {} : { codexMl }),
  });
  return createRegistries({ root, ...options }).metrics;
}

async function compute(
  metrics: ReturnType<typeof metricsOf>,
  name: string,
  options?: unknown,
): Promise<unknown> {
  const metric = await metrics.create(name, options);
  return typeof metric === "function" ? metric({ predictions: [], references: [] }) : metric.compute();
}

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

const messages = (metrics: ReturnType<typeof metricsOf>) => metrics.problems().map(({ message }) => message);

describe("Finding", () => {
  test("a package that the project depends on is found, though its exports hide its package.json", async () => {
    const metrics = metricsOf(["my-extension"]);
    expect(metrics.list()).toContain("toy_metric");
    expect(metrics.inspect("toy_metric").origin).toEqual({
      kind: "entry-point",
      package: "my-extension",
      version: "1.2.0",
      target: "./metric#build",
      location: join(installation.directory, "node_modules/my-extension/package.json"),
      status: "declared",
      error: undefined,
    });
    expect(await compute(metrics, "toy_metric", { value: 41 })).toBe(41);
    expect(metrics.inspect("toy_metric").origin.status).toBe("loaded");
  });

  test("npm's own package.json serves as the root, from any folder below it", () => {
    const { metrics } = createRegistries({
      root: join(installation.directory, "node_modules/..//.sources/.."),
    });
    expect(metrics.list()).toEqual(expect.arrayContaining(["toy_metric", "scoped", "by_pattern"]));
  });

  test("listing imports nothing; concurrent first gets import once", async () => {
    const before = importsOf("my-extension");
    const metrics = metricsOf(["my-extension"]);
    metrics.entries();
    metrics.problems();
    metrics.inspect("toy_metric");
    expect(importsOf("my-extension")).toBe(before);
    const factories = await Promise.all(
      ["toy_metric", "Toy_Metric", "my-extension/toy_metric"].map((name) => metrics.get(name)),
    );
    expect(new Set(factories).size).toBe(1);
    expect(importsOf("my-extension")).toBe(1);
  });

  test("the entry point is the module instance that an ordinary import gives", async () => {
    const root = installation.project(
      { type: "module", dependencies: { "my-extension": "*" } },
      {
        "node_modules/importer/package.json": '{ "name": "importer", "type": "module" }',
        "node_modules/importer/index.js": 'export { build } from "my-extension/metric";',
      },
    );
    const { metrics } = createRegistries({ root });
    const { build } = await import(join(root, "node_modules/importer/index.js"));
    expect(await metrics.get("toy_metric")).toBe(build);
  });

  test("aliases and descriptions come from the manifest", async () => {
    const metrics = metricsOf(["my-extension"]);
    expect(metrics.inspect("TOY2")).toMatchObject({ name: "toy_metric_v2", description: "The second toy." });
    expect(await compute(metrics, "toy2")).toBe(2);
    expect(await compute(metrics, "my-extension/toy2")).toBe(2);
    expect(metrics.list()).not.toContain("toy2");
  });

  test("without #, the default export is the factory", async () => {
    expect(await compute(metricsOf(["my-extension"]), "default_export")).toBe(3);
  });

  test("a scoped package is one like others", async () => {
    const metrics = metricsOf(["@scope/scoped"]);
    expect(await compute(metrics, "scoped")).toBe(4);
    expect(await compute(metrics, "@scope/scoped/scoped")).toBe(4);
    expect(metrics.inspect("scoped").qualifiedName).toBe("@scope/scoped/scoped");
  });

  test("subpaths go through exports: conditions and patterns", async () => {
    const metrics = metricsOf(["conditional"]);
    expect(await compute(metrics, "by_condition")).toBe("import");
    expect(await compute(metrics, "by_pattern")).toBe("pattern");
  });

  test("a package without exports may name a file, in CommonJS too", async () => {
    const metrics = metricsOf(["plain-files"]);
    expect(await compute(metrics, "cjs")).toBe(5);
    expect(await compute(metrics, "main")).toBe(6);
  });

  test("development and optional dependencies count, and may be absent", () => {
    const root = installation.project({
      devDependencies: { "my-extension": "*", "not-installed-dev": "*" },
      optionalDependencies: { "@scope/scoped": "*", "not-installed-optional": "*" },
    });
    const { metrics } = createRegistries({ root });
    expect(metrics.list()).toEqual(expect.arrayContaining(["toy_metric", "scoped"]));
    expect(messages(metrics).filter((message) => message.startsWith("not-installed"))).toEqual([]);
  });

  test("the project itself may declare components", async () => {
    const root = installation.project(
      { name: "my-project", type: "module", codexMl: { [GROUP]: { own: "./own.mjs" } } },
      { "own.mjs": "export default () => () => 9;" },
    );
    const { metrics } = createRegistries({ root: join(root, "src", "deep") });
    expect(await compute(metrics, "own")).toBe(9);
    expect(metrics.inspect("own").origin.package).toBe("my-project");
  });

  test("a transitive package is no plugin, although it is installed", async () => {
    const metrics = metricsOf(["quiet-parent"]);
    const error = await rejection(metrics.get("toy_metric"), RegistryNotFoundError);
    expect(error.message).toContain("a direct dependency of the project");
    const qualified = await rejection(metrics.get("my-extension/toy_metric"), RegistryNotFoundError);
    expect(qualified.message).toContain('"my-extension" is none of the plugins');
  });

  test("what a plugin depends on is no plugin either, unless the plugin forwards it", () => {
    const root = installation.project(
      { dependencies: { outer: "*" } },
      {
        "node_modules/outer/package.json": JSON.stringify({
          dependencies: { "my-extension": "*" },
          peerDependencies: { "@scope/scoped": "*" },
          codexMl: { [GROUP]: { outer: "./index.js" } },
        }),
        "node_modules/outer/index.js": "",
      },
    );
    const { metrics } = createRegistries({ root });
    const plugins = metrics.entries().filter(({ origin }) => origin.kind === "entry-point");
    expect(plugins.map(({ name }) => name)).toEqual(["outer"]);
  });

  test("a plugin may forward others, resolved from itself", async () => {
    const metrics = metricsOf(["preset"]);
    expect(await compute(metrics, "toy_metric")).toBe(1);
    expect(messages(metrics).filter((message) => message.includes("not installed"))).toEqual([
      expect.stringMatching(/^not-there: not installed, though .*preset\/package\.json names it$/),
      expect.stringMatching(/^\.\.\/evil: not installed/),
    ]);
  });

  test("of two copies of a package the project's own is used, and the forwarded one is a listed problem", () => {
    const nested = "node_modules/preset2/node_modules/my-extension/package.json";
    const root = installation.project(
      { dependencies: { preset2: "*", "my-extension": "*" } },
      {
        "node_modules/preset2/package.json": '{ "codexMl": { "plugins": ["my-extension"] } }',
        [nested]: '{ "version": "9.0.0", "codexMl": { "codex_ml.metrics": { "toy_metric": "./x.js" } } }',
      },
    );
    const { metrics } = createRegistries({ root });
    expect(metrics.inspect("toy_metric").origin.version).toBe("1.2.0");
    expect(messages(metrics).join()).toMatch(
      /a second copy in .*preset2.* is left out; my-extension@1\.2\.0 in .* is used/,
    );
  });

  test("a workspace member is linked into node_modules, and yet a plugin only of who depends on it", async () => {
    const member = (name: string, more: Record<string, unknown> = {}): PackageSource => ({
      manifest: {
        name,
        version: "1.0.0",
        type: "module",
        codexMl: { [GROUP]: { [name]: "./index.js" } },
        ...more,
      },
      files: { "index.js": "export default () => () => 11;" },
    });
    const root = installation.workspace({ devDependencies: { "member-a": "*" } }, [
      member("member-a"),
      member("member-b", { dependencies: { "member-c": "*" } }),
      member("member-c"),
    ]);
    const members = (from: string) =>
      createRegistries({ root: from })
        .metrics.list()
        .filter((name) => name.startsWith("member-"));
    expect(members(root)).toEqual(["member-a"]);
    expect(members(join(root, "members/member-b"))).toEqual(["member-b", "member-c"]);
    const { metrics } = createRegistries({ root });
    expect(metrics.inspect("member-a").origin.location).toBe(join(root, "members/member-a/package.json"));
    expect(await compute(metrics, "member-a")).toBe(11);
  });

  test("what is installed meanwhile is found after refresh", () => {
    const root = installation.project({});
    const { metrics, tokenizers } = createRegistries({ root });
    expect(metrics.has("toy_metric")).toBe(false);
    writeFileSync(join(root, "package.json"), JSON.stringify({ dependencies: { "my-extension": "*" } }));
    expect(metrics.has("toy_metric")).toBe(false);
    tokenizers.refresh(); // The five share what was found.
    expect(metrics.has("toy_metric")).toBe(true);
  });

  test("without a package.json anywhere above, there are the built-ins, and the error says so", async () => {
    const nowhere = realpathSync(mkdtempSync(join(tmpdir(), "codex-ml-nowhere-")));
    const { metrics } = createRegistries({ root: nowhere });
    expect(metrics.has("perplexity")).toBe(true);
    const { message } = await rejection(metrics.get("toy_metric"), RegistryNotFoundError);
    expect(message).toContain("there is no package.json");
  });
});

test("configurePlugins gives the process-wide registries a root and pins, as a run file does", async () => {
  const root = installation.project({ dependencies: { "my-extension": "*", "other-extension": "*" } });
  configurePlugins({ root, pins: { "metrics/toy_metric": "other-extension" } });
  try {
    expect(await compute(metricRegistry, "toy_metric")).toBe(20);
    expect(() => configurePlugins({ pins: { toy_metric: "my-extension" } })).toThrow(
      /a pin reads "kind\/name"/,
    );
  } finally {
    configurePlugins({ root: process.cwd(), pins: {} });
  }
  expect(metricRegistry.inspect("toy_metric").origin.package).toBe("codex-ml-toy-metric");
});

describe("Colliding", () => {
  test("two packages that claim one name: get throws, naming both and the pin that would settle it", async () => {
    const metrics = metricsOf(["my-extension", "other-extension"]);
    const error = await rejection(metrics.get("toy_metric"), RegistryConflictError);
    expect(error.message).toContain("my-extension@1.2.0");
    expect(error.message).toContain("other-extension@2.0.0");
    expect(error.message).toContain('"codexMl": { "pins": { "metrics/toy_metric": "my-extension" } }');
    expect(error.origins.map((origin) => origin.package)).toEqual(["my-extension", "other-extension"]);
    expect(messages(metrics)).toContain(error.message);
  });

  test("both stay reachable as package/name, and the rest of both works", async () => {
    const metrics = metricsOf(["other-extension", "my-extension"]);
    expect(await compute(metrics, "my-extension/toy_metric")).toBe(1);
    expect(await compute(metrics, "other-extension/toy_metric")).toBe(20);
    expect(await compute(metrics, "toy_metric_v2")).toBe(2);
  });

  test.each([
    ["my-extension", 1],
    ["other-extension", 20],
  ])("a pin in the project's package.json settles it: %s", async (chosen, value) => {
    const metrics = metricsOf(["my-extension", "other-extension"], {
      codexMl: { pins: { "metrics/Toy_Metric": chosen } },
    });
    expect(await compute(metrics, "toy_metric")).toBe(value);
    expect(messages(metrics).filter((message) => message.includes("claimed twice"))).toEqual([]);
    const states = metrics.entries().filter(({ name }) => name === "toy_metric");
    expect(states.map(({ origin }) => [origin.package === chosen, origin.status]).sort()).toEqual([
      [false, "shadowed"],
      [true, "loaded"],
    ]);
  });

  test("a pin holds for its own kind alone", async () => {
    const metrics = metricsOf(["my-extension", "other-extension"], {
      codexMl: { pins: { "models/toy_metric": "my-extension", "tokenizers/gone": "my-extension" } },
    });
    const error = await rejection(metrics.get("toy_metric"), RegistryConflictError);
    expect(messages(metrics)).toEqual([error.message]);
  });

  test("a pin of the program goes before the project's", async () => {
    const metrics = metricsOf(["my-extension", "other-extension"], {
      codexMl: { pins: { "metrics/toy_metric": "my-extension" } },
      pins: { "metrics/toy_metric": "other-extension" },
    });
    expect(await compute(metrics, "toy_metric")).toBe(20);
  });

  test("a built-in answers before a package, whose entry is listed as shadowed and reachable by its full name", async () => {
    const metrics = metricsOf(["other-extension"]);
    expect(metrics.inspect("perplexity").origin.kind).toBe("builtin");
    expect(metrics.inspect("other-extension/perplexity").origin.status).toBe("shadowed");
    expect(await compute(metrics, "other-extension/perplexity")).toBe(20);
  });

  test("a pin puts a package before a built-in, for its aliases too", async () => {
    const metrics = metricsOf(["other-extension"], {
      codexMl: { pins: { "metrics/perplexity": "other-extension" } },
    });
    expect(await compute(metrics, "perplexity")).toBe(20);
    expect(await compute(metrics, "ppl")).toBe(20);
    expect(metrics.inspect("codex-ml/perplexity").origin.status).toBe("shadowed");
  });

  test("a pin that cannot be met is an error and a listed problem, never somebody else's component", async () => {
    const metrics = metricsOf(["my-extension"], {
      codexMl: { pins: { "metrics/perplexity": "gone", "metric/x": "gone" } },
    });
    const error = await rejection(metrics.get("perplexity"), RegistryNotFoundError);
    expect(error.message).toContain('The pin "metrics/perplexity" names "gone"');
    expect(messages(metrics).join("\n")).toContain('The pin "metrics/perplexity" names "gone"');
    expect((await rejection(metrics.get("ppl"), RegistryNotFoundError)).message).toContain('"gone"');
    expect([metrics.has("perplexity"), metrics.has("ppl")]).toEqual([false, false]);
    expect(messages(metrics).join("\n")).toContain('the pin "metric/x": ');
  });

  test("the program answers before a package, whether or not somebody listed first", async () => {
    const before = metricsOf(["my-extension"]);
    before.list();
    const after = metricsOf(["my-extension"]);
    for (const metrics of [before, after]) {
      metrics.register("toy_metric", () => () => 100);
      expect(await compute(metrics, "toy_metric")).toBe(100);
      expect(metrics.inspect("my-extension/toy_metric").origin.status).toBe("shadowed");
    }
  });
});

describe("Failing", () => {
  test("an entry point that throws at import is a load error with the original as cause, and may be tried again", async () => {
    const metrics = metricsOf(["throws", "my-extension"]);
    const error = await rejection(metrics.create("throws_at_import"), RegistryLoadError);
    expect(error).toMatchObject({
      component: "throws_at_import",
      package: "throws",
      version: "1.2.0",
      target: "./metric#build",
    });
    expect(error.message).toContain("throws@1.2.0");
    expect(error.cause).toHaveProperty("message", "no licence found");
    expect(metrics.inspect("throws_at_import").origin).toMatchObject({ status: "failed", error });
    expect(await compute(metrics, "toy_metric")).toBe(1);
    Object.assign(globalThis, { mended: true });
    expect(await compute(metrics, "throws_at_import")).toBe(7);
  });

  test("a missing export is a load error that shows what there is", async () => {
    const error = await rejection(metricsOf(["my-extension"]).get("no_such_export"), RegistryLoadError);
    expect(error.message).toMatch(/no export "bild"\. Did you mean "build"\? It exports: .*buildV2/);
  });

  test("an export that cannot build anything is a load error", async () => {
    const error = await rejection(metricsOf(["my-extension"]).get("not_a_factory"), RegistryLoadError);
    expect(error.message).toContain('"1.2.0" is no factory');
  });

  test("a target that exports do not give is listed before anybody asks, and a load error when somebody does", async () => {
    const metrics = metricsOf(["conditional", "plain-files"]);
    const listed = messages(metrics).join("\n");
    expect(listed).toMatch(/conditional@1\.2\.0: codex_ml\.metrics, "not_exported": .*"\.\/internal"/);
    expect(listed).toMatch(/"missing": there is no file .*absent\.js \(has the package been built\?\)/);
    expect(listed).toMatch(/"outside": .*leads out of the package/);
    for (const name of ["not_exported", "missing", "outside"])
      await rejection(metrics.get(name), RegistryLoadError);
  });

  test("a manifest that is no JSON is a listed problem with its cause, and the others work on", async () => {
    const metrics = metricsOf(["truncated", "my-extension"]);
    const problem = metrics.problems().find((one) => one.package === "truncated");
    expect(problem?.message).toMatch(/truncated: cannot read .*truncated\/package\.json: SyntaxError/);
    expect(problem?.cause).toBeInstanceOf(SyntaxError);
    expect(await compute(metrics, "toy_metric")).toBe(1);
    const { message } = await rejection(metrics.get("truncated"), RegistryNotFoundError);
    expect(message).toContain("Problem: truncated: cannot read");
  });

  test("each mistake in a manifest is a problem of its own, and the rest of it works", async () => {
    const metrics = metricsOf(["sloppy"]);
    expect(await compute(metrics, "good")).toBe(8);
    expect(metrics.list().filter((name) => metrics.inspect(name).origin.package === "sloppy")).toEqual([
      "good",
    ]);
    const listed = messages(metrics);
    for (const expected of [
      /unknown key "codex_ml\.metric"; did you mean "codex_ml\.metrics"\?/,
      /"codex_ml\.models" is an object of names and targets, not an array of 1/,
      /"Good": "good" is declared twice/,
      /"two words": .*" " \(U\+0020\)/,
      /"no_subpath": the target "metric#build" does not read/,
      /"number": a target is a string such as "\.\/metric#build", not 7/,
      /"misspelt": unknown key "alias"; did you mean "aliases"\?/,
    ])
      expect(
        listed.filter((message) => expected.test(message)),
        String(expected),
      ).toHaveLength(1);
  });

  test("a package for another codex-ml is left out, and whoever asks for its component is told why", async () => {
    const metrics = metricsOf(["too-new", "my-extension"]);
    expect(metrics.list()).not.toContain("from_the_future");
    const { message } = await rejection(metrics.get("from_the_future"), RegistryNotFoundError);
    expect(message).toMatch(/Problem: too-new@1\.2\.0: needs codex-ml \^99\.0\.0, and this is \d/);
    expect(metrics.has("toy_metric")).toBe(true);
  });

  test("a dependency that is not installed is a listed problem", () => {
    const metrics = metricsOf(["not-installed", "my-extension"]);
    expect(messages(metrics)).toEqual([
      expect.stringMatching(/^not-installed: not installed, though .* names it$/),
    ]);
    expect(metrics.has("toy_metric")).toBe(true);
  });
});

describe("Narrowing", () => {
  test("CODEX_ML_PLUGINS=off: no package is looked at, and errors say so", async () => {
    process.env.CODEX_ML_PLUGINS = "off";
    const metrics = metricsOf(["my-extension"]);
    expect(metrics.list()).toEqual(Object.keys(metrics.kind.builtins).sort());
    const { message } = await rejection(metrics.get("toy_metric"), RegistryNotFoundError);
    expect(message).toContain("No package was looked at: the environment has CODEX_ML_PLUGINS=off.");
  });

  test("a value of CODEX_ML_PLUGINS that means nothing is taken as off, and is a listed problem", () => {
    process.env.CODEX_ML_PLUGINS = "nope";
    const metrics = metricsOf(["my-extension"]);
    expect(metrics.has("toy_metric")).toBe(false);
    expect(messages(metrics)).toEqual(['CODEX_ML_PLUGINS is "nope", not "off" or "auto"; taken as "off"']);
  });

  test("a pinned name fails while plugins are off, rather than quietly mean the built-in", async () => {
    process.env.CODEX_ML_PLUGINS = "off";
    const metrics = metricsOf(["other-extension"], {
      codexMl: { pins: { "metrics/perplexity": "other-extension" } },
    });
    const { message } = await rejection(metrics.get("perplexity"), RegistryNotFoundError);
    expect(message).toContain("CODEX_ML_PLUGINS=off");
  });

  test('"plugins": false in the project\'s package.json turns them off', async () => {
    const metrics = metricsOf(["my-extension"], { codexMl: { plugins: false } });
    const { message } = await rejection(metrics.get("toy_metric"), RegistryNotFoundError);
    expect(message).toContain('"codexMl.plugins" is false in');
  });

  test('"plugins": a list allows those packages only; what is no dependency on it is a problem', () => {
    const metrics = metricsOf(["my-extension", "@scope/scoped"], {
      codexMl: { plugins: ["@scope/scoped", "quiet-parent"] },
    });
    expect([metrics.has("scoped"), metrics.has("toy_metric")]).toEqual([true, false]);
    expect(messages(metrics)).toEqual([
      'the list "plugins" names "quiet-parent", which is no direct dependency',
    ]);
  });

  test("the program narrows further and never widens", () => {
    const dependencies = ["my-extension", "@scope/scoped"];
    const both = metricsOf(dependencies, { codexMl: { plugins: dependencies }, plugins: ["my-extension"] });
    expect([both.has("scoped"), both.has("toy_metric")]).toEqual([false, true]);
    expect(metricsOf(dependencies, { codexMl: { plugins: false }, plugins: "auto" }).has("scoped")).toBe(
      false,
    );
    expect(metricsOf(dependencies, { plugins: false }).has("scoped")).toBe(false);
  });

  test("a mistake in the list lets nobody in", () => {
    const metrics = metricsOf(["my-extension"], { codexMl: { plugins: "my-extension" } });
    expect(metrics.has("toy_metric")).toBe(false);
    expect(messages(metrics).join()).toMatch(
      /"plugins" is "auto", false or an array of package names, not "my-extension"/,
    );
  });
});
