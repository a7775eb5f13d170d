/** Several codex-ml on one disk: whose is used by whom, and what to do about it. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { toJson, writeFiles } from "../registry/packages.ts";
import {
  declaring,
  findingsIn,
  link,
  newFolder,
  project,
  removeFolders,
  repository,
  rightManifest,
  rightModule,
  write,
} from "./doctored.ts";

afterAll(removeFolders);

/** A real second copy: the built files, and a package.json of another version. */
function copyCodexMl(folder: string, version = "0.1.99"): string {
  const copy = join(folder, "node_modules/codex-ml");
  cpSync(join(repository, "dist"), join(copy, "dist"), { recursive: true });
  const exports = { ".": "./dist/index.mjs", "./registry": "./dist/registry.mjs" };
  writeFiles(copy, { "package.json": toJson({ name: "codex-ml", version, type: "module", exports }) });
  return copy;
}

const { devDependencies: _, ...installed } = rightManifest;

test("a plugin that brought its own: both places and versions, and overrides", async () => {
  const folder = project({ brings: { manifest: { dependencies: { "codex-ml": "^0.1.0" } } } });
  const copy = copyCodexMl(join(folder, "node_modules/brings"));
  const findings = await findingsIn(folder);
  expect(findings).toEqual([
    expect.objectContaining({
      code: "CODEX_ML_COPIES",
      severity: "error",
      package: "brings",
      version: "1.0.0",
    }),
  ]);
  expect(findings[0]?.message).toContain(
    `another copy of codex-ml, codex-ml@0.1.99 in ${copy}, than the project, codex-ml@0.1.0 in ${repository}.`,
  );
  expect(findings[0]?.fix).toMatch(
    /npm dedupe codex-ml, or "overrides": \{ "codex-ml": "\$codex-ml" \}.*from "dependencies" to "peerDependencies"/,
  );
});

test("a plugin with a second copy of the same version, that it does not depend on: dedupe", async () => {
  const folder = project({ odd: {} });
  copyCodexMl(join(folder, "node_modules/odd"), "0.1.0");
  expect(await findingsIn(folder)).toEqual([
    expect.objectContaining({ code: "CODEX_ML_COPIES", package: "odd", fix: "npm dedupe codex-ml" }),
  ]);
});

test("a project with another copy than this command's: run the project's own", async () => {
  const folder = write(newFolder(), { name: "project", dependencies: { "codex-ml": "*" } });
  const copy = copyCodexMl(folder);
  expect(await findingsIn(folder)).toEqual([
    expect.objectContaining({
      code: "CODEX_ML_COPIES",
      message: expect.stringContaining(
        `this command runs codex-ml@0.1.0 in ${repository}, and the project has codex-ml@0.1.99 in ${copy}.`,
      ),
      fix: "run the project's own: npx codex-ml",
    }),
  ]);
});

test("one copy that is reached over several links is one", async () => {
  const folder = project({ one: { manifest: declaring("one") }, two: { manifest: declaring("two") } });
  link(repository, join(folder, "node_modules/one/node_modules/codex-ml"));
  expect(await findingsIn(folder, { notes: true })).toEqual([]);
});

test("a linked plugin that has a codex-ml of its own, for its tests: install it packed", async () => {
  const folder = project({}, { dependencies: { linked: "*", "codex-ml": "*" } });
  const plugin = write(
    join(folder, "../linked"),
    { ...rightManifest, name: "linked" },
    { "metric.js": rightModule },
  );
  copyCodexMl(plugin);
  link(plugin, join(folder, "node_modules/linked"));
  expect(await findingsIn(folder)).toEqual([
    expect.objectContaining({
      code: "CODEX_ML_COPIES",
      package: "linked",
      fix: expect.stringMatching(/packed instead of linked \(npm pack/),
    }),
  ]);
});

test("a linked plugin from whose folder no codex-ml can be imported", async () => {
  const folder = project({}, { dependencies: { linked: "*", "codex-ml": "*" } });
  const plugin = write(
    join(folder, "../linked"),
    { ...installed, name: "linked" },
    { "metric.js": rightModule },
  );
  link(plugin, join(folder, "node_modules/linked"));
  const findings = await findingsIn(folder, { load: "all" });
  expect(findings.map(({ code }) => code)).toEqual(["CODEX_ML_NOT_FOUND", "LOAD_FAILED"]);
  expect(findings[0]).toMatchObject({
    severity: "error",
    package: "linked",
    message: `it needs codex-ml, and none can be imported from ${plugin}`,
    fix: expect.stringMatching(/in the folder that it leads to/),
  });
  expect(findings[1]?.fix).toBe("npm install codex-ml");
});

test("a member of a workspace uses the workspace's copy and its neighbours", async () => {
  const folder = write(newFolder(), { name: "workspace", private: true, workspaces: ["members/*"] });
  link(repository, join(folder, "node_modules/codex-ml"));
  const plugin = write(
    join(folder, "members/plugin"),
    { ...rightManifest, name: "plugin" },
    {
      "metric.js": rightModule,
      "metric.d.ts": "export {};\n",
      "README.md": "# plugin\n",
    },
  );
  const app = write(join(folder, "members/app"), {
    name: "app",
    private: true,
    dependencies: { plugin: "*" },
  });
  link(plugin, join(folder, "node_modules/plugin"));
  link(app, join(folder, "node_modules/app"));
  for (const member of [app, plugin])
    expect(await findingsIn(member, { load: "all", notes: true }), member).toEqual([]);
  const copy = copyCodexMl(plugin);
  expect(await findingsIn(app)).toEqual([
    expect.objectContaining({ code: "CODEX_ML_COPIES", message: expect.stringContaining(copy) }),
  ]);
});
