/** A project and what it depends on: wrong in one way each, and told exactly that. */
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { FindingCode } from "../../src/plugins/doctor/finding.ts";
import { toJson, writeFiles } from "../registry/packages.ts";
import {
  declaring,
  diagnosisOf,
  findingsIn,
  newFolder,
  project,
  removeFolders,
  rightManifest,
  rightModule,
} from "./doctored.ts";

afterAll(removeFolders);

test("a project whose plugins are right has nothing found", async () => {
  const folder = project({ one: { manifest: declaring("one") }, two: { manifest: declaring("two") } });
  for (const load of ["own", "all", "none"] as const)
    expect(await diagnosisOf(folder, load)).toMatchObject({
      root: folder,
      published: undefined,
      plugins: 2,
      components: 2,
      findings: [],
    });
});

test("a project without plugins has nothing found", async () => {
  expect(await diagnosisOf(project({}))).toMatchObject({ plugins: 0, components: 0, findings: [] });
});

test("a folder without package.json has a note", async () => {
  expect(await diagnosisOf(newFolder())).toMatchObject({
    root: undefined,
    findings: [{ code: "NO_PROJECT", severity: "note" }],
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

const pinned = { codexMl: { pins: { "metrics/always_one": "absent" } } };

const cases: readonly Case[] = [
  [
    "a plugin with a broken package.json",
    "MANIFEST_UNREADABLE",
    "error",
    () => project({ torn: { files: { "package.json": '{ "name": "torn",' } } }),
    /cannot read .*torn\/package\.json/,
    /npm install torn@latest/,
  ],
  [
    "a package.json of its own that is broken",
    "MANIFEST_UNREADABLE",
    "error",
    () => {
      const folder = newFolder();
      writeFiles(folder, { "package.json": "{" });
      return folder;
    },
    /cannot read .*root\/package\.json/,
    /correct .*root\/package\.json/,
  ],
  [
    "a plugin with a group that is none",
    "MANIFEST_INVALID",
    "error",
    () => project({ odd: { manifest: { codexMl: { "codex_ml.metric": {} } } } }),
    /^"codexMl" has an unknown key "codex_ml\.metric"/,
    /npm install odd@latest.*npm bugs odd/,
  ],
  [
    "a plugin whose target is not exported",
    "TARGET_NOT_FOUND",
    "error",
    () => project({ odd: { manifest: { exports: { ".": "./metric.js" } } } }),
    /^codex_ml\.metrics, "always_one": .*"\.\/metric"/,
    /npm install odd@latest/,
  ],
  [
    "a plugin for another codex-ml",
    "PEER_RANGE_UNMET",
    "error",
    () => project({ odd: { manifest: { peerDependencies: { "codex-ml": "^7.0.0" } } } }),
    /^needs codex-ml \^7\.0\.0, and this is 0\.1\.0/,
    /npm install odd@latest/,
  ],
  [
    "a dependency that is not installed",
    "NOT_INSTALLED",
    "error",
    () => project({}, { dependencies: { gone: "*" } }),
    /^not installed, though .*names it/,
    /npm install, or take "gone" out/,
  ],
  [
    "a name on its list that is no dependency",
    "LISTED_NOT_DEPENDED_ON",
    "error",
    () => project({}, { codexMl: { plugins: ["gone"] } }),
    /names "gone", which is no direct dependency/,
    /off the list/,
  ],
  [
    "a pin to a package that is none",
    "PIN_UNMET",
    "error",
    () => project({ one: {} }, pinned),
    /pin "metrics\/always_one" names "absent"/,
    /delete the pin/,
  ],
  [
    "two plugins that claim one name",
    "NAME_CONFLICT",
    "error",
    () => project({ one: {}, two: {} }),
    /^metric "always_one" is claimed twice: one@1\.0\.0, \.\/metric#build and two@1\.0\.0, \.\/metric#build$/,
    /"pins": \{ "metrics\/always_one": "one" \} \}, or ask for "one\/always_one" or "two\/always_one"/,
  ],
  [
    "a plugin whose name means a built-in",
    "SHADOWED",
    "warning",
    () => project({ one: { manifest: declaring("perplexity") } }),
    /"perplexity" means another one: built into/,
    /write "one\/perplexity", or pin it: "codexMl": \{ "pins": \{ "metrics\/perplexity": "one" \} \}/,
  ],
  [
    "a plugin that has codex-ml in dependencies",
    "CODEX_ML_IN_DEPENDENCIES",
    "warning",
    () => project({ one: { manifest: { dependencies: { "codex-ml": "*" } } } }),
    /a second copy/,
    /to "peerDependencies" \(npm bugs one\)/,
  ],
  [
    "a plugin for another Node",
    "ENGINE_UNMET",
    "warning",
    () => project({ one: { manifest: { engines: { node: ">=999" } } } }),
    /made for Node >=999, and this is \d/,
    /use such a Node/,
  ],
  [
    "a plugin by keyword that declares nothing",
    "COMPONENTS_UNDECLARED",
    "warning",
    () => project({ one: { manifest: { codexMl: undefined, codexml: rightManifest.codexMl } } }),
    /no field "codexMl" that declares components; it has "codexml"/,
    /npm install one@latest/,
  ],
  [
    "a misspelt field of its own",
    "FIELD_MISSPELT",
    "error",
    () => project({}, { codexML: { plugins: false } }),
    /"codexML" is not read/,
    /call it "codexMl"/,
  ],
  [
    "a list of plugins",
    "PLUGINS_LISTED",
    "note",
    () => project({ one: {}, two: {} }, { codexMl: { plugins: ["one"] } }),
    /only the plugins on the list .*: one$/,
    /add a package/,
  ],
  [
    "plugins switched off",
    "PLUGINS_OFF",
    "note",
    () => project({ one: {}, two: {} }, { codexMl: { plugins: false } }),
    /no plugin was looked at: "codexMl\.plugins" is false/,
    /take that back/,
  ],
];

test.each(cases)("%s: %s, %s", async (_, code, severity, create, message, fix) => {
  const findings = await findingsIn(create(), { notes: severity === "note" });
  expect(findings.map((finding) => finding.code)).toEqual([code]);
  expect(findings[0]?.severity).toBe(severity);
  expect(findings[0]?.message).toMatch(message);
  expect(findings[0]?.fix).toMatch(fix);
});

test("a finding says which package, version and component it concerns", async () => {
  const folder = project({ odd: { manifest: { version: "3.1.4", exports: { ".": "./metric.js" } } } });
  expect(await findingsIn(folder)).toEqual([
    expect.objectContaining({
      package: "odd",
      version: "3.1.4",
      component: "metrics/always_one",
      location: join(folder, "node_modules/odd/package.json"),
    }),
  ]);
});

test("a copy of a plugin that another one forwards and that is left out", async () => {
  const folder = project({ one: {}, two: { manifest: { codexMl: { plugins: ["one"] } } } });
  writeFiles(folder, {
    "node_modules/two/node_modules/one/package.json": toJson({
      ...rightManifest,
      name: "one",
      version: "0.9.0",
    }),
    "node_modules/two/node_modules/one/metric.js": rightModule,
  });
  expect(await findingsIn(folder)).toEqual([
    expect.objectContaining({
      code: "SECOND_COPY",
      severity: "error",
      fix: expect.stringMatching(/npm dedupe one/),
    }),
  ]);
});

test("a pin that settles a conflict leaves nothing found", async () => {
  const pins = { "metrics/always_one": "two", "metrics/perplexity": "three" };
  const packages = { one: {}, two: {}, three: { manifest: declaring("perplexity") } };
  expect(await findingsIn(project(packages, { codexMl: { pins } }), { notes: true })).toEqual([]);
});

describe("the environment", () => {
  test.each([
    ["off", ["PLUGINS_OFF"]],
    ["of", ["ENVIRONMENT_UNKNOWN", "PLUGINS_OFF"]],
  ])("CODEX_ML_PLUGINS=%s is told", async (value, codes) => {
    vi.stubEnv("CODEX_ML_PLUGINS", value);
    try {
      const findings = await findingsIn(project({ one: {}, two: {} }), { notes: true });
      expect(findings.map(({ code }) => code)).toEqual(codes);
      expect(findings.map(({ message }) => message).join()).toContain(`CODEX_ML_PLUGINS`);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe("loading", () => {
  const throws = {
    "metric.js": `globalThis.ran = (globalThis.ran ?? 0) + 1; throw new Error("no cucumbers");`,
  };
  const ran = () => (globalThis as { ran?: number }).ran ?? 0;

  test("the code of an installed plugin runs only when all are loaded", async () => {
    const folder = project({ one: { files: throws } });
    expect(await findingsIn(folder)).toEqual([]);
    expect(await findingsIn(folder, { load: "none" })).toEqual([]);
    expect(ran()).toBe(0);
    expect(await findingsIn(folder, { load: "all" })).toEqual([
      expect.objectContaining({
        code: "LOAD_FAILED",
        severity: "error",
        package: "one",
        component: "metrics/always_one",
        message: "it cannot be imported: no cucumbers",
        fix: "update it; if that does not help, tell its authors",
      }),
    ]);
    expect(ran()).toBe(1);
  });

  test("both that claim a name are loaded, and one that is shadowed", async () => {
    const folder = project({
      one: { files: throws },
      two: { files: throws },
      three: { manifest: declaring("perplexity"), files: throws },
    });
    const findings = await findingsIn(folder, { load: "all" });
    const failed = findings.filter(({ code }) => code === "LOAD_FAILED").map((finding) => finding.package);
    expect(failed.sort()).toEqual(["one", "three", "two"]);
  });

  test("a package that an installed plugin misses is to be installed", async () => {
    const folder = project({ one: { files: { "metric.js": `import "missing-one";` } } });
    expect(await findingsIn(folder, { load: "all" })).toEqual([
      expect.objectContaining({ code: "LOAD_FAILED", fix: "npm install missing-one" }),
    ]);
  });

  test("an import that never settles is told after the import timeout", async () => {
    vi.stubEnv("CODEX_ML_IMPORT_TIMEOUT", "0.2");
    try {
      const folder = project({ one: { files: { "metric.js": "await new Promise(() => {});" } } });
      expect(await findingsIn(folder, { load: "all" })).toEqual([
        expect.objectContaining({
          code: "LOAD_FAILED",
          message: expect.stringMatching(/not settled after 0\.2 s/),
        }),
      ]);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
