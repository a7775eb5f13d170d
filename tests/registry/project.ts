/** A project whose packages are written by hand, and programs that run in it with the built `codex-ml/registry`. */
import { execFile } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { toJson, writeFiles } from "./packages.ts";

const execute = promisify(execFile);
export const repository = fileURLToPath(new URL("../../", import.meta.url));
const face = new URL("../../dist/registry.mjs", import.meta.url).href;

/** What a package under `node_modules` consists of, besides its name. */
export interface Written {
  readonly metrics?: Readonly<Record<string, unknown>>;
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string>>;
}

export class Project {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), "codex-ml-project-")));
  #programs = 0;

  /** All of the packages are direct dependencies. */
  constructor(
    packages: Readonly<Record<string, Written>>,
    { more = {}, manifest = {} }: { more?: Record<string, string>; manifest?: Record<string, unknown> } = {},
  ) {
    const dependencies = Object.fromEntries(Object.keys(packages).map((name) => [name, "*"]));
    this.write({ "package.json": toJson({ name: "project", dependencies, ...manifest }), ...more });
    for (const [name, { metrics, manifest, files = {} }] of Object.entries(packages)) {
      const codexMl = { "codex_ml.metrics": metrics };
      const json = toJson({ name, version: "1.0.0", type: "module", codexMl, ...manifest });
      const inside = Object.entries({ "package.json": json, ...files });
      this.write(Object.fromEntries(inside.map(([path, text]) => [`node_modules/${name}/${path}`, text])));
    }
  }

  write(files: Readonly<Record<string, string>>): void {
    writeFiles(this.directory, files);
  }

  /** Runs a module here, with everything of `codex-ml/registry` in scope as `registry`; gives what it `print`s. */
  async run(
    program: string,
    { node = [], env = {} }: { node?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
  ): Promise<unknown> {
    const main = join(this.directory, `main-${this.#programs++}.mjs`);
    const text = `import * as registry from ${JSON.stringify(face)};
      const print = (value) => process.stdout.write(JSON.stringify(value));
      const metrics = registry.metricRegistry;
      const compute = async (name) => (await metrics.create(name))({ predictions: [], references: [] });
      ${program}`;
    writeFiles(this.directory, { [main.slice(this.directory.length)]: text });
    const { stdout } = await execute(process.execPath, [...node, main], {
      cwd: this.directory,
      env: { ...process.env, NODE_OPTIONS: "", ...env },
    });
    return JSON.parse(stdout);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
