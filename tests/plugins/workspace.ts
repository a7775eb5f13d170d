/** Packages of plugins, installed by npm as members of one workspace, with this checkout's `codex-ml` and no network. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { toJson, writeFiles } from "../registry/packages.ts";

const execute = promisify(execFile);
const repository = fileURLToPath(new URL("../../", import.meta.url));

/** What new packages depend on, besides `codex-ml`. */
const needed = ["zod", "typescript", "@types/node"];

/** Libraries of all platforms, 290 MB: linked instead of packed. */
const RUNTIME = "onnxruntime-node";

export class Workspace {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<Workspace> {
    return new Workspace(realpathSync(await mkdtemp(join(tmpdir(), "codex-ml-workspace-"))));
  }

  /** Installs every folder in `members/`: what they ask for is packed from this checkout and its `node_modules`. */
  async install(): Promise<void> {
    const installed = everythingBelow(repository, needed);
    const slim = join(this.directory, ".slim", RUNTIME);
    const whole = installed.get(RUNTIME) ?? "";
    await cp(whole, slim, { recursive: true, filter: (path) => path !== join(whole, "bin") });
    installed.set(RUNTIME, slim);

    const archives = join(this.directory, ".archives");
    await mkdir(archives);
    const packing = ["pack", "--json", "--ignore-scripts", "--pack-destination", archives];
    const packed = await this.run("npm", [...packing, repository, ...installed.values()]);
    const overrides = (JSON.parse(packed) as { name: string; filename: string }[]).map(
      ({ name, filename }) => [name, `file:${join(archives, filename)}`] as const,
    );
    writeFiles(this.directory, {
      "package.json": toJson({
        name: "workspace",
        private: true,
        workspaces: ["members/*"],
        overrides: Object.fromEntries(overrides),
      }),
    });
    await this.run("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"]);
    await symlink(join(whole, "bin"), join(this.directory, "node_modules", RUNTIME, "bin"), "dir");
  }

  /** What a command prints on stdout, run in a folder of the workspace. */
  async run(program: string, args: readonly string[], folder = "."): Promise<string> {
    // What the surrounding npm and the tests have set must reach none of these.
    const inherited = Object.entries(process.env).filter(
      ([key]) =>
        !/^(npm_|CODEX_ML_|NODE_OPTIONS$|NODE_TEST_CONTEXT$|VITEST|INIT_CWD$|FORCE_COLOR$)/i.test(key),
    );
    const env = {
      ...Object.fromEntries(inherited),
      npm_config_cache: join(this.directory, ".cache"),
      npm_config_offline: "true",
      npm_config_update_notifier: "false",
      CODEX_ML_SPIN: "0",
      NO_COLOR: "1",
    };
    try {
      const { stdout } = await execute(program, args, { cwd: join(this.directory, folder), env });
      return stdout;
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      throw new Error(`${program} ${args.join(" ")} failed in ${folder}\n${stdout}${stderr}`, {
        cause: error,
      });
    }
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }
}

/** The folders of what a package depends on, directly or not, and of `more`; by name. What is optional may be missing. */
function everythingBelow(folder: string, more: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (from: string, name: string, optional: boolean): void => {
    const at = locate(name, from);
    if (at === undefined && optional) return;
    if (at === undefined) throw new Error(`${name}, which ${from} needs, is not installed`);
    const known = found.get(name);
    if (known !== undefined && manifestOf(known).version !== manifestOf(at).version)
      throw new Error(`${name} is needed in two versions, in ${known} and ${at}; an override gives only one`);
    if (known !== undefined) return;
    found.set(name, at);
    visitAll(at);
  };
  const visitAll = (at: string): void => {
    const { dependencies = {}, optionalDependencies = {} } = manifestOf(at);
    for (const name of Object.keys(dependencies)) visit(at, name, name in optionalDependencies);
    for (const name of Object.keys(optionalDependencies)) visit(at, name, true);
  };
  visitAll(folder);
  for (const name of more) visit(folder, name, false);
  return found;
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

function locate(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const at = join(folder, "node_modules", name);
    if (existsSync(join(at, "package.json"))) return realpathSync(at);
    if (folder === dirname(folder)) return undefined;
  }
}
