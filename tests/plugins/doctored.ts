/** Folders to be diagnosed: a package that is wholly right, to be made wrong in one way, and projects of such packages. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRegistries } from "../../src/faces/registry.ts";
import type { Finding } from "../../src/plugins/doctor/finding.ts";
import { type Diagnosis, diagnose, type Loading } from "../../src/plugins/doctor.ts";
import { toJson, writeFiles } from "../registry/packages.ts";

export const repository = realpathSync(fileURLToPath(new URL("../../", import.meta.url)));

type Manifest = Readonly<Record<string, unknown>>;
/** Text by path; `undefined` leaves a file out. */
type Files = Readonly<Record<string, string | undefined>>;

export const rightManifest = {
  name: "right",
  version: "1.0.0",
  description: "A metric that is always 1.",
  keywords: ["codex-ml-plugin"],
  license: "Apache-2.0",
  type: "module",
  exports: {
    "./metric": { types: "./metric.d.ts", default: "./metric.js" },
    "./package.json": "./package.json",
  },
  files: ["metric.js", "metric.d.ts"],
  peerDependencies: { "codex-ml": "^0.1.0" },
  devDependencies: { "codex-ml": "^0.1.0" },
  codexMl: { "codex_ml.metrics": { always_one: { target: "./metric#build", description: "Always 1." } } },
} as const;

export const rightModule = `import { defineMetric } from "codex-ml/registry";
export const build = defineMetric({ create: () => () => 1 });
`;

const rightFiles: Files = {
  "README.md": "# right\n\nAlways 1.\n",
  "metric.js": rightModule,
  "metric.d.ts": `export const build: import("codex-ml/registry").Definition<unknown>;\n`,
};

const folders: string[] = [];

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** An empty folder below a new one, so that it can have neighbours. */
export function newFolder(name = "root"): string {
  const folder = join(realpathSync(mkdtempSync(join(tmpdir(), "codex-ml-doctor-"))), name);
  folders.push(dirname(folder));
  mkdirSync(folder);
  return folder;
}

export function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, "dir");
}

export function write(folder: string, manifest: Manifest, files: Files = {}): string {
  const all = Object.entries(files).flatMap(([path, text]) =>
    text === undefined ? [] : [[path, text] as const],
  );
  writeFiles(folder, { "package.json": toJson(manifest), ...Object.fromEntries(all) });
  return folder;
}

/** The right plugin package as its author sees it, with changes to its manifest and files. */
export function pluginPackage(changes: Manifest = {}, files: Files = {}): string {
  const folder = write(newFolder("right"), { ...rightManifest, ...changes }, { ...rightFiles, ...files });
  link(repository, join(folder, "node_modules/codex-ml"));
  return folder;
}

/** A project with installed packages, all of them direct dependencies; each is the right one with changes. */
export function project(
  packages: Readonly<Record<string, { readonly manifest?: Manifest; readonly files?: Files }>>,
  manifest: Manifest = {},
): string {
  const dependencies = {
    "codex-ml": "*",
    ...Object.fromEntries(Object.keys(packages).map((name) => [name, "*"])),
  };
  const folder = write(newFolder(), { name: "project", private: true, dependencies, ...manifest });
  link(repository, join(folder, "node_modules/codex-ml"));
  for (const [name, { manifest: changes = {}, files = {} }] of Object.entries(packages)) {
    const { devDependencies: _, ...installed } = rightManifest;
    write(
      join(folder, "node_modules", name),
      { ...installed, name, ...changes },
      { ...rightFiles, ...files },
    );
  }
  return folder;
}

/** The manifest's `codexMl` of a package with one metric of that name. */
export function declaring(name: string): Manifest {
  return { codexMl: { "codex_ml.metrics": { [name]: { target: "./metric#build", description: "It." } } } };
}

export function diagnosisOf(folder: string, load: Loading = "own"): Promise<Diagnosis> {
  return diagnose(load, createRegistries({ root: folder }));
}

/** What is found, notes left out unless asked for. */
export async function findingsIn(
  folder: string,
  { load = "own", notes = false }: { load?: Loading; notes?: boolean } = {},
): Promise<readonly Finding[]> {
  const { findings } = await diagnosisOf(folder, load);
  return notes ? findings : findings.filter(({ severity }) => severity !== "note");
}
