/** A stranger's plugins, installed by every package manager, found and used by a process of its own. */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Manager, Market, managers } from "./managers.ts";
import { type PackageSource, toJson, writeFiles } from "./packages.ts";

const GROUP = "codex_ml.metrics";

/** Says when it is evaluated: once, if everybody gets the same module. */
const noted = (name: string, code: string) => `(globalThis.evaluated ??= []).push("${name}");\n${code}\n`;

const packages: PackageSource[] = [
  // Hides its package.json, and uses the project's codex-ml and a package of its own.
  {
    manifest: {
      name: "stranger",
      version: "1.2.0",
      type: "module",
      exports: { "./metric": "./dist/metric.js" },
      peerDependencies: { "codex-ml": "^0.1.0" },
      dependencies: { transitive: "^1.0.0" },
      codexMl: { [GROUP]: { stranger: { target: "./metric#build", aliases: ["odd"] } } },
    },
    files: {
      "dist/metric.js": noted(
        "stranger",
        `import { defineMetric, metricRegistry } from "codex-ml/registry";
         import { value } from "transitive";
         export const registry = metricRegistry;
         export const build = defineMetric({ create: () => () => value });`,
      ),
    },
  },
  // CommonJS without exports, scoped.
  {
    manifest: {
      name: "@strange/scoped",
      version: "2.0.0",
      main: "./lib/index.js",
      codexMl: { [GROUP]: { scoped: ".#build" } },
    },
    files: { "lib/index.js": noted("@strange/scoped", "exports.build = () => () => 2;") },
  },
  // Fails at first.
  {
    manifest: {
      name: "flaky",
      version: "0.1.0",
      type: "module",
      exports: { "./*": "./dist/*.mjs" },
      codexMl: { [GROUP]: { flaky: "./metric#build" } },
    },
    files: {
      "dist/metric.mjs": `if (globalThis.evaluated === undefined) throw new Error("not yet");
        export const build = () => () => 5;`,
    },
  },
  {
    manifest: {
      name: "transitive",
      version: "1.0.0",
      type: "module",
      exports: "./index.js",
      codexMl: { [GROUP]: { transitive: ".#build" } },
    },
    files: { "index.js": noted("transitive", "export const value = 1; export const build = () => () => 9;") },
  },
];

const linked: PackageSource = {
  manifest: {
    name: "linked",
    version: "0.3.0",
    type: "module",
    exports: { ".": { types: "./index.d.ts", import: "./index.js" } },
    codexMl: { [GROUP]: { linked: ".#build" } },
  },
  files: { "index.js": noted("linked", "export const build = () => () => 3;") },
};

/** Lists, then uses: what a program in the project sees. */
const program = `
  import { metricRegistry } from "codex-ml/registry";
  const entries = metricRegistry.entries().filter(({ origin }) => origin.kind === "entry-point");
  const listed = entries.map(({ name, origin }) => \`\${name} \${origin.package}@\${origin.version}\`);
  const problems = metricRegistry.problems().map(({ message }) => message);
  const evaluatedByListing = globalThis.evaluated ?? [];
  const modules = { stranger: "stranger/metric", scoped: "@strange/scoped", linked: "linked", sibling: "sibling" };
  const flaky = await metricRegistry.get("flaky").catch(({ code }) => code);
  const values = {};
  const instances = {};
  for (const { name } of entries) {
    if (name === "flaky") continue;
    values[name] = (await metricRegistry.create(name))({ predictions: [], references: [] });
    const module = await import(modules[name]);
    instances[name] = module.build === (await metricRegistry.get(name));
    if (module.registry !== undefined) instances.registry = module.registry === metricRegistry;
  }
  if (flaky === "REGISTRY_LOAD_FAILED") values.flaky = (await metricRegistry.create("flaky"))();
  const { code } = await metricRegistry.get("transitive").catch((error) => error);
  const builtin = typeof (await metricRegistry.create("token_accuracy")).update;
  const evaluated = (globalThis.evaluated ?? []).sort();
  console.log(JSON.stringify({ listed, problems, evaluatedByListing, values, instances, code, evaluated, builtin }));
`;

const market = new Market(realpathSync(mkdtempSync(join(tmpdir(), "codex-ml-managers-"))));
const linkedFolder = join(market.directory, "linked");
beforeAll(async () => {
  writeFiles(linkedFolder, { "package.json": toJson(linked.manifest), ...linked.files });
  await market.pack(packages);
});
afterAll(() => rmSync(market.directory, { recursive: true, force: true }));

const all = Object.entries(managers);

describe.concurrent.each(all)("%s", (name, manager: Manager) => {
  test("finds what the project depends on, and nothing below; the registry's module is everybody's", async () => {
    const project = await market.install(manager, `${name} project`, {
      dependencies: ["codex-ml", "stranger", "@strange/scoped", "flaky"],
      links: { linked: linkedFolder },
      files: { "main.mjs": program },
    });
    const expected = {
      listed: [
        "flaky flaky@0.1.0",
        "linked linked@0.3.0",
        "scoped @strange/scoped@2.0.0",
        "stranger stranger@1.2.0",
      ],
      problems: [],
      evaluatedByListing: [],
      values: { flaky: 5, linked: 3, scoped: 2, stranger: 1 },
      instances: { linked: true, scoped: true, stranger: true, registry: true },
      code: "REGISTRY_NOT_FOUND",
      evaluated: ["@strange/scoped", "linked", "stranger", "transitive"],
      builtin: "function",
    };
    expect(JSON.parse(await project.node("main.mjs"))).toEqual(expected);
    for (const starts of manager.alsoBy ?? [])
      expect(JSON.parse(await project.run(...starts, "main.mjs"))).toEqual(expected);
    const listing = await project.command("codex-ml", "plugins", "list", "--kind", "metrics", "--json");
    const { components } = JSON.parse(listing) as { components: { name: string }[] };
    expect(components.map((component) => component.name)).toEqual(
      expect.arrayContaining(["linked", "perplexity", "scoped", "stranger"]),
    );
    expect(listing).not.toContain("transitive");
    // Names of packages and nothing of where they lie, so that the file is the same under every manager.
    await project.command("codex-ml", "plugins", "types");
    const types = readFileSync(join(project.folder, "codex-ml-env.d.ts"), "utf8");
    expect(types.match(/^ {6}\S.*typeof.*$/gm)).toEqual([
      '      "@strange/scoped/scoped": typeof import("@strange/scoped").build;',
      '      flaky: typeof import("flaky/metric").build;',
      '      "flaky/flaky": typeof import("flaky/metric").build;',
      '      linked: typeof import("linked").build;',
      '      "linked/linked": typeof import("linked").build;',
      '      odd: typeof import("stranger/metric").build;',
      '      scoped: typeof import("@strange/scoped").build;',
      '      stranger: typeof import("stranger/metric").build;',
      '      "stranger/odd": typeof import("stranger/metric").build;',
      '      "stranger/stranger": typeof import("stranger/metric").build;',
    ]);
  });

  test("a member of a workspace sees what it declares, and not what a sibling declares", async () => {
    const member = (name: string) => ({
      manifest: { name, version: "1.0.0", private: true },
      files: { "main.mjs": program },
    });
    const workspace = await market.install(manager, `${name} workspace`, {
      dependencies: [],
      members: [
        { ...member("first"), dependencies: ["codex-ml", "stranger"] },
        { ...member("second"), dependencies: ["codex-ml", "@strange/scoped"], siblings: ["sibling"] },
        {
          manifest: {
            name: "sibling",
            version: "1.0.0",
            type: "module",
            exports: "./index.js",
            codexMl: { [GROUP]: { sibling: ".#build" } },
          },
          files: { "index.js": noted("sibling", "export const build = () => () => 4;") },
          dependencies: [],
        },
      ],
    });
    expect(JSON.parse(await workspace.node("main.mjs", "packages/first"))).toMatchObject({
      listed: ["stranger stranger@1.2.0"],
      problems: [],
      evaluatedByListing: [],
      values: { stranger: 1 },
      instances: { stranger: true, registry: true },
    });
    expect(JSON.parse(await workspace.node("main.mjs", "packages/second"))).toMatchObject({
      listed: ["scoped @strange/scoped@2.0.0", "sibling sibling@1.0.0"],
      problems: [],
      evaluatedByListing: [],
      values: { scoped: 2, sibling: 4 },
      instances: { scoped: true, sibling: true },
    });
  });
});
