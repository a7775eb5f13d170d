/** A plugin package before it is published: wrong in one way each, and told exactly that. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { FindingCode } from "../../src/plugins/doctor/finding.ts";
import {
  declaring,
  diagnosisOf,
  findingsIn,
  pluginPackage,
  removeFolders,
  repository,
  rightManifest,
  rightModule,
} from "./doctored.ts";

afterAll(removeFolders);

const metric = rightManifest.codexMl["codex_ml.metrics"].always_one;
const without = (field: string) => ({ [field]: undefined });

describe("a package that is right", () => {
  test("has nothing found, not even a note", async () => {
    expect(await diagnosisOf(pluginPackage())).toMatchObject({
      published: "right@1.0.0",
      plugins: 1,
      components: 1,
      findings: [],
    });
  });

  test.each(readdirSync(join(repository, "examples/plugins")))("%s has no problem", async (name) => {
    const diagnosis = await diagnosisOf(join(repository, "examples/plugins", name));
    expect(diagnosis).toMatchObject({ published: `${name}@0.1.0`, plugins: 1, components: 1 });
    expect(diagnosis.findings.filter(({ severity }) => severity !== "note")).toEqual([]);
  });

  test("may have its imports in several files, other packages, Node and itself", async () => {
    const folder = pluginPackage(
      { codecov: {}, files: ["metric.js", "metric.d.ts", "lib"], optionalDependencies: { semver: "*" } },
      {
        "metric.js": `import "./lib/one.js";\nimport "node:fs";\nimport "path";\nimport "right/package.json" with { type: "json" };\n${rightModule}`,
        "lib/one.js": `export const later = () => import("semver");\n`,
      },
    );
    expect(await findingsIn(folder, { notes: true })).toEqual([]);
  });
});

type Case = readonly [
  what: string,
  code: FindingCode,
  severity: "error" | "warning" | "note",
  folder: () => string,
  message: RegExp,
  fix: RegExp,
];

const cases: readonly Case[] = [
  [
    "a group that is misspelt",
    "MANIFEST_INVALID",
    "error",
    () => pluginPackage({ codexMl: { "codex_ml.metric": { always_one: metric } } }),
    /"codex_ml\.metric"; did you mean "codex_ml\.metrics"\?/,
    /correct the field "codexMl"/,
  ],
  [
    "a name that cannot be one",
    "MANIFEST_INVALID",
    "error",
    () => pluginPackage(declaring("always one")),
    /" " \(U\+0020\) cannot be in a name/,
    /correct the field "codexMl"/,
  ],
  ...["codexml", "codex_ml", "codex-ml", "codecMl", "codex"].map(
    (field): Case => [
      `a field ${field}`,
      "FIELD_MISSPELT",
      "error",
      () => pluginPackage({ codexMl: undefined, [field]: rightManifest.codexMl }),
      new RegExp(`"${field}" is not read`),
      /call it "codexMl"/,
    ],
  ),
  [
    "a group outside of the field",
    "FIELD_MISSPELT",
    "error",
    () => pluginPackage({ codexMl: undefined, ...rightManifest.codexMl }),
    /"codex_ml\.metrics" is not read/,
    /move it into the field "codexMl"/,
  ],
  [
    "a target that is not exported",
    "TARGET_NOT_FOUND",
    "error",
    () =>
      pluginPackage({
        codexMl: { "codex_ml.metrics": { always_one: { ...metric, target: "./other#build" } } },
      }),
    /^codex_ml\.metrics, "always_one": .*"\.\/other"/,
    /name the subpath in "exports"/,
  ],
  [
    "a target whose file is not there",
    "TARGET_NOT_FOUND",
    "error",
    () =>
      pluginPackage({
        exports: { "./metric": "./dist/metric.js", "./package.json": "./package.json" },
        files: undefined,
      }),
    /there is no file .*dist\/metric\.js/,
    /build the package/,
  ],
  [
    "a target that is not published",
    "FILE_NOT_PUBLISHED",
    "error",
    () => pluginPackage({ files: ["metric.d.ts"] }),
    /would not publish "metric\.js"/,
    /add them to "files"/,
  ],
  [
    "a file that the target imports and .npmignore leaves out",
    "FILE_NOT_PUBLISHED",
    "error",
    () =>
      pluginPackage(without("files"), {
        ".npmignore": "lib\n",
        "metric.js": `import "./lib/one.js";\n${rightModule}`,
        "lib/one.js": "export {};\n",
      }),
    /would not publish "lib\/one\.js"/,
    /\.npmignore/,
  ],
  [
    "types that are not published",
    "FILE_NOT_PUBLISHED",
    "error",
    () => pluginPackage({ files: ["metric.js"] }),
    /would not publish "metric\.d\.ts"/,
    /add them to "files"/,
  ],
  [
    "types that are not there",
    "PUBLINT_FILE_DOES_NOT_EXIST",
    "error",
    () => pluginPackage({}, { "metric.d.ts": undefined }),
    /metric\.d\.ts/,
    /publint\.dev\/rules#file_does_not_exist/,
  ],
  [
    "types that stand last",
    "PUBLINT_EXPORTS_TYPES_SHOULD_BE_FIRST",
    "error",
    () =>
      pluginPackage({
        exports: {
          "./metric": { import: "./metric.js", types: "./metric.d.ts" },
          "./package.json": "./package.json",
        },
      }),
    /types.* should be the first/,
    /publint\.dev/,
  ],
  [
    "a module that its type denies",
    "PUBLINT_FILE_INVALID_FORMAT",
    "warning",
    () =>
      pluginPackage({
        type: "commonjs",
        exports: { "./metric": "./metric.js", "./package.json": "./package.json" },
      }),
    /written in ESM/,
    /publint\.dev/,
  ],
  [
    "a package that is imported and not depended on",
    "DEPENDENCY_UNDECLARED",
    "error",
    () =>
      pluginPackage({}, { "metric.js": `export const later = () => import("left/over");\n${rightModule}` }),
    /metric\.js imports "left", which is in no dependencies/,
    /npm install left/,
  ],
  [
    "a package that is imported and only a development dependency",
    "DEPENDENCY_UNDECLARED",
    "error",
    () =>
      pluginPackage(
        { devDependencies: { "@left/over": "*" } },
        { "metric.js": `export const later = () => import("@left/over/sub.js");\n${rightModule}` },
      ),
    /imports "@left\/over", which is only in "devDependencies"/,
    /npm install @left\/over/,
  ],
  [
    "a name in capitals",
    "NAME_NOT_NORMAL",
    "warning",
    () => pluginPackage(declaring("Always_One")),
    /"Always_One".*"always_one"/,
    /write "always_one"/,
  ],
  [
    "a name that a built-in has",
    "SHADOWED",
    "warning",
    () => pluginPackage(declaring("perplexity")),
    /"perplexity" means another one: built into codex-ml/,
    /rename it.*"right\/perplexity"/,
  ],
  [
    "an alias that a built-in has",
    "SHADOWED",
    "warning",
    () =>
      pluginPackage({
        codexMl: { "codex_ml.metrics": { always_one: { ...metric, aliases: ["perplexity"] } } },
      }),
    /"perplexity" means another one/,
    /rename it/,
  ],
  [
    "a component without a description",
    "DESCRIPTION_MISSING",
    "warning",
    () => pluginPackage({ codexMl: { "codex_ml.metrics": { always_one: "./metric#build" } } }),
    /nothing to say/,
    /"target": "\.\/metric#build", "description"/,
  ],
  [
    "exports that hide package.json",
    "PACKAGE_JSON_HIDDEN",
    "warning",
    () => pluginPackage({ exports: { "./metric": rightManifest.exports["./metric"] } }),
    /"exports" hides package\.json/,
    /"\.\/package\.json": "\.\/package\.json"/,
  ],
  [
    "no peer range",
    "PEER_MISSING",
    "error",
    () => pluginPackage(without("peerDependencies")),
    /which versions/,
    /"codex-ml": "\^0\.1\.0"/,
  ],
  ...["*", "", ">=0.1.0"].map(
    (range): Case => [
      `the peer range ${JSON.stringify(range)}`,
      "PEER_RANGE_OPEN",
      "warning",
      () => pluginPackage({ peerDependencies: { "codex-ml": range } }),
      /every later codex-ml/,
      /"\^0\.1\.0"/,
    ],
  ),
  [
    "a peer range that this version does not satisfy",
    "PEER_RANGE_UNMET",
    "error",
    () => pluginPackage({ peerDependencies: { "codex-ml": "^99.0.0" } }),
    /needs codex-ml \^99\.0\.0, and this is 0\.1\.0/,
    /the range of codex-ml that the package is tested with/,
  ],
  [
    "codex-ml in dependencies",
    "CODEX_ML_IN_DEPENDENCIES",
    "error",
    () => pluginPackage({ dependencies: { "codex-ml": "^0.1.0" } }),
    /a second copy/,
    /move it: "peerDependencies"/,
  ],
  [
    "no keyword",
    "KEYWORD_MISSING",
    "warning",
    () => pluginPackage(without("keywords")),
    /searches/,
    /"codex-ml-plugin"/,
  ],
  [
    "no licence",
    "LICENSE_MISSING",
    "warning",
    () => pluginPackage(without("license")),
    /licence/,
    /"license"/,
  ],
  [
    "no README",
    "README_MISSING",
    "warning",
    () => pluginPackage({}, { "README.md": undefined }),
    /README/,
    /README\.md/,
  ],
  [
    "no version",
    "PACKAGE_UNNAMED",
    "error",
    () => pluginPackage(without("version")),
    /no valid "version"/,
    /add "version"/,
  ],
  [
    "private",
    "PRIVATE",
    "note",
    () => pluginPackage({ private: true }),
    /refuse to publish/,
    /delete "private"/,
  ],
  [
    "a function instead of a definition",
    "OPTIONS_UNDESCRIBED",
    "note",
    () => pluginPackage({}, { "metric.js": "export const build = () => () => 1;\n" }),
    /which options/,
    /schema/,
  ],
  [
    "an import that throws",
    "LOAD_FAILED",
    "error",
    () => pluginPackage({}, { "metric.js": `throw new Error("no cucumbers left");\n${rightModule}` }),
    /cannot be imported: no cucumbers left/,
    /importable by itself/,
  ],
  [
    "an export that is not there",
    "LOAD_FAILED",
    "error",
    () => pluginPackage({}, { "metric.js": `export const built = 1;\n` }),
    /no export "build".*"built"/,
    /importable by itself/,
  ],
  [
    "an export that is no factory",
    "NOT_A_FACTORY",
    "error",
    () => pluginPackage({}, { "metric.js": "export const build = 42;\n" }),
    /42 is no factory/,
    /export a factory/,
  ],
  [
    "a component that breaks its contract",
    "CONTRACT_BROKEN",
    "error",
    () => pluginPackage({}, { "metric.js": rightModule.replace("() => () => 1", "() => ({ update() {} })") }),
    /breaks the contract of a metric/,
    /codex-ml\/testing/,
  ],
  [
    "a definition that fails without options",
    "FACTORY_FAILED",
    "error",
    () =>
      pluginPackage(
        {},
        { "metric.js": rightModule.replace("() => () => 1", "() => { throw new Error('oh') }") },
      ),
    /accepts no options, and then fails: oh/,
    /make the schema demand/,
  ],
];

describe("a package with", () => {
  test.each(cases)("%s: %s, %s", async (what, code, severity, create, message, fix) => {
    const findings = await findingsIn(create(), { notes: true });
    expect(findings.map((finding) => finding.code)).toEqual([code]);
    const [finding] = findings;
    expect(finding?.severity).toBe(severity);
    expect(finding?.message).toMatch(message);
    expect(finding?.fix).toMatch(fix);
    if (what !== "no name") expect(finding?.package, what).toBe("right");
    expect(finding?.location).toMatch(/right\/package\.json$/);
  });

  test("a function that fails without options has a warning beside the note", async () => {
    const folder = pluginPackage(
      {},
      { "metric.js": "export const build = ({ a }) => () => a.b;\nexport default 1;\n" },
    );
    const broken = pluginPackage({}, { "metric.js": "export const build = ({ a }) => a.b;\n" });
    expect((await findingsIn(folder)).map(({ code }) => code)).toEqual([]);
    expect(await findingsIn(broken)).toEqual([
      expect.objectContaining({
        code: "FACTORY_FAILED",
        severity: "warning",
        component: "metrics/always_one",
      }),
    ]);
  });

  test("a build that never settles is told after the import timeout", async () => {
    vi.stubEnv("CODEX_ML_IMPORT_TIMEOUT", "0.2");
    try {
      const folder = pluginPackage(
        {},
        { "metric.js": rightModule.replace("() => () => 1", "() => new Promise(() => {})") },
      );
      expect(await findingsIn(folder)).toEqual([
        expect.objectContaining({
          code: "FACTORY_FAILED",
          message: expect.stringMatching(/not been built after 0\.2 s/),
        }),
      ]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("a model is built with the vocabSize that a run would give it", async () => {
    const folder = pluginPackage(
      { codexMl: { "codex_ml.models": { empty: { target: "./metric#build", description: "Nothing." } } } },
      { "metric.js": "export const build = ({ vocabSize }) => (vocabSize > 0 ? {} : vocabSize.missing);\n" },
    );
    expect((await findingsIn(folder)).map(({ code }) => code)).toEqual(["CONTRACT_BROKEN"]);
  });

  test("options that must be given has nothing found: it cannot be built here", async () => {
    const module = `import { InvalidOptionError } from "codex-ml/registry";
      export const build = { create() { throw new InvalidOptionError("path", "is missing"); } };\n`;
    expect(await findingsIn(pluginPackage({}, { "metric.js": module }), { notes: true })).toEqual([]);
  });

  test("a codex-ml that is not installed is told to install it", async () => {
    const folder = pluginPackage(
      {},
      { "metric.js": rightModule.replace("codex-ml/registry", "codex-ml-gone") },
    );
    const [undeclared, failed] = await findingsIn(folder);
    expect(undeclared).toMatchObject({ code: "DEPENDENCY_UNDECLARED" });
    expect(failed).toMatchObject({
      code: "LOAD_FAILED",
      fix: 'npm install codex-ml-gone, and have it in "dependencies" or "peerDependencies"',
    });
  });
});

describe("a package.json that is odd", () => {
  test("without exports is looked at no further than it is published", async () => {
    const folder = pluginPackage({
      exports: undefined,
      codexMl: { "codex_ml.metrics": { always_one: { ...metric, target: "./metric.js#build" } } },
    });
    expect(await findingsIn(folder, { notes: true })).toEqual([]);
  });

  test.each([
    { files: "metric.js" },
    { files: {} },
    { exports: 42 },
    { exports: [] },
    { exports: { "./metric": null } },
    { keywords: {}, codexMl: [] },
    { bundleDependencies: true, dependencies: { semver: "*" } },
    { dependencies: [], peerDependencies: "x", engines: 3 },
    { name: "../x", version: {}, type: 4, license: { type: "MIT" } },
    { main: 3, types: 4, bin: 5, imports: 6, browser: 7 },
  ])("%j is told of, without failing", async (changes) => {
    const findings = await findingsIn(pluginPackage(changes));
    expect(findings.length).toBeGreaterThan(0);
    for (const { code, fix } of findings) expect(fix, code).toBeDefined();
  });
});

test.each([
  [{ name: "../x" }, /no valid "name", so/],
  [{ version: "1.0" }, /no valid "version", so/],
  [{ name: 3, version: 3 }, /no valid "name" and no valid "version", so/],
])("a package with %j cannot be published", async (changes, message) => {
  const findings = await findingsIn(pluginPackage(changes));
  expect(findings.map(({ code }) => code)).toEqual(["PACKAGE_UNNAMED"]);
  expect(findings[0]?.message).toMatch(message);
});

describe("a private project with components of its own", () => {
  const own = {
    private: true,
    keywords: undefined,
    dependencies: { "codex-ml": "*" },
    peerDependencies: undefined,
  };

  test("is not held to what only a published package needs", async () => {
    const folder = pluginPackage({ ...own, license: undefined, files: [] }, { "README.md": undefined });
    expect(await diagnosisOf(folder)).toMatchObject({ published: undefined, components: 1, findings: [] });
  });

  test("has its components loaded without a name of its own, too", async () => {
    const folder = pluginPackage({ ...own, name: undefined }, { "metric.js": "export const build = 42;\n" });
    expect((await findingsIn(folder)).map(({ code }) => code)).toEqual(["NOT_A_FACTORY"]);
  });

  test("has its components loaded and built", async () => {
    const folder = pluginPackage(own, { "metric.js": "export const build = 42;\n" });
    expect((await findingsIn(folder)).map(({ code }) => code)).toEqual(["NOT_A_FACTORY"]);
    expect(await findingsIn(folder, { load: "none" })).toEqual([]);
  });
});
