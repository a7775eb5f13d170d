/** Package managers, the real ones, as processes of their own that reach no network. */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type PackageSource, toJson, writeFiles } from "./packages.ts";

const execute = promisify(execFile);
const repository = fileURLToPath(new URL("../../", import.meta.url));

/** Where nobody listens: a manager that looked for a package outside would fail at once. */
const NOWHERE = "http://127.0.0.1:9/";

type Command = readonly [program: string, ...args: string[]];

/** What differs between the managers. */
export interface Manager {
  readonly install: Command;
  /** Settings, by the file they stand in. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Fields of the root's `package.json` that give every package this source, at any depth. */
  readonly override: (sources: Readonly<Record<string, string>>) => Readonly<Record<string, unknown>>;
  /** How a project depends on a folder outside it. */
  readonly link: (folder: string) => string;
  /** How a workspace member depends on its sibling. */
  readonly sibling: string;
  /** Names the members; by default the field `workspaces` does. */
  readonly workspace?: (members: string) => Readonly<Record<string, string>>;
  /** Runs a module of the project. */
  readonly node: Command;
  /** Other ways to run one. */
  readonly alsoBy?: readonly Command[];
  /** Runs a command of an installed package. */
  readonly command: (name: string) => Command;
}

const node = process.execPath;
const local = (name: string): Command => [node, join("node_modules", ".bin", name)];
const overrides: Manager["override"] = (sources) => ({ overrides: sources });

const npm: Manager = {
  install: ["npm", "install", "--offline", "--no-audit", "--no-fund"],
  override: overrides,
  link: (folder) => `file:${folder}`,
  sibling: "*",
  node: [node],
  // npm's and Bun's are links to the program; pnpm's are shell scripts.
  command: local,
};

const pnpmProgram = join(repository, "node_modules", "pnpm", "bin", "pnpm.cjs");
const pnpm: Manager = {
  install: [node, pnpmProgram, "install", "--offline", "--no-frozen-lockfile", "--store-dir", ".store"],
  override: (sources) => ({ pnpm: { overrides: sources } }),
  link: (folder) => `link:${folder}`,
  sibling: "workspace:*",
  workspace: (members) => ({ "pnpm-workspace.yaml": `packages: ["${members}"]\n` }),
  node: [node],
  command: (name) => [join("node_modules", ".bin", name)],
};

const yarnProgram = join(repository, "node_modules", "@yarnpkg", "cli-dist", "bin", "yarn.js");
const withPnp: Command = [node, "-r", "./.pnp.cjs", "--experimental-loader", "./.pnp.loader.mjs"];
const yarn = (linker: "node-modules" | "pnp"): Manager => ({
  install: [node, yarnProgram, "install"],
  settings: {
    ".yarnrc.yml": `nodeLinker: ${linker}
enableNetwork: false
enableTelemetry: false
enableGlobalCache: false
enableImmutableInstalls: false
`,
    // Without it, a folder below another project would be taken for one of its workspaces.
    "yarn.lock": "",
  },
  override: (sources) => ({ resolutions: sources }),
  link: (folder) => `portal:${folder}`,
  sibling: "workspace:*",
  ...(linker === "pnp" ? { node: [node, yarnProgram, "node"], alsoBy: [withPnp] } : { node: [node] }),
  command: (name) => [node, yarnProgram, name],
});

/** Not a dependency (100 MB): tested where there is one, `CODEX_ML_TEST_BUN=path/to/bun`. */
const bunProgram = process.env.CODEX_ML_TEST_BUN;
const bun: Manager = {
  install: [bunProgram ?? "bun", "install"],
  settings: { "bunfig.toml": `[install]\nregistry = "${NOWHERE}"\ncache = ".cache"\n` },
  override: overrides,
  link: (folder) => `file:${folder}`,
  sibling: "workspace:*",
  node: [node],
  command: local,
};

export const managers: Readonly<Record<string, Manager>> = {
  npm,
  pnpm,
  "Yarn with node_modules": yarn("node-modules"),
  "Yarn Plug'n'Play": yarn("pnp"),
  ...(bunProgram === undefined ? {} : { Bun: bun }),
};

/** A folder of packed packages, and of projects that install them. */
export class Market {
  readonly directory: string;
  readonly #archives = new Map<string, string>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Packs packages, and `codex-ml` from `dist/` with what `codex-ml/registry` and `codex-ml plugins list` load. */
  async pack(sources: readonly PackageSource[]): Promise<void> {
    const own = join(this.directory, "sources", "codex-ml");
    const folders = [own];
    const manifest = JSON.parse(await readFile(join(repository, "package.json"), "utf8"));
    const { name, version, type, bin, exports } = manifest;
    const dependencies: Record<string, string> = {};
    for (const used of ["commander", "picocolors", "resolve.exports", "semver", "zod"]) {
      dependencies[used] = manifest.dependencies[used];
      folders.push(join(repository, "node_modules", used));
    }
    writeFiles(own, { "package.json": toJson({ name, version, type, bin, exports, dependencies }) });
    await cp(join(repository, "dist"), join(own, "dist"), { recursive: true });
    for (const { manifest, files } of sources) {
      const folder = join(this.directory, "sources", manifest.name);
      writeFiles(folder, { "package.json": toJson(manifest), ...files });
      folders.push(folder);
    }
    const archives = join(this.directory, "archives");
    await mkdir(archives, { recursive: true });
    const pack: Command = ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", archives];
    const packed = JSON.parse(await this.#run(this.directory, [...pack, ...folders]));
    for (const { name, filename } of packed as { name: string; filename: string }[])
      this.#archives.set(name, join(archives, filename));
  }

  /** How a project depends on a packed package. */
  archive(name: string): string {
    const archive = this.#archives.get(name);
    if (archive === undefined) throw new Error(`${name} was not packed`);
    return `file:${archive}`;
  }

  /** Installs a project in a new folder. Names in `dependencies` are packed packages; `links` are folders. */
  async install(manager: Manager, name: string, project: ProjectSource): Promise<Installed> {
    const folder = join(this.directory, "projects", name);
    const direct = new Set([project, ...(project.members ?? [])].flatMap(({ dependencies }) => dependencies));
    const transitive = [...this.#archives.keys()].filter((packed) => !direct.has(packed));
    const members = Object.fromEntries(
      (project.members ?? []).map(({ manifest, files = {}, ...member }) => {
        const all = { ...manifest, ...this.#dependencies(manager, member) };
        return [manifest.name, { "package.json": toJson(all), ...files }] as const;
      }),
    );
    const isWorkspace = project.members !== undefined;
    writeFiles(folder, {
      ...manager.settings,
      ...(isWorkspace ? manager.workspace?.("packages/*") : {}),
      "package.json": toJson({
        name: "project",
        version: "1.0.0",
        private: true,
        ...(isWorkspace && manager.workspace === undefined ? { workspaces: ["packages/*"] } : {}),
        ...this.#dependencies(manager, project),
        ...manager.override(Object.fromEntries(transitive.map((packed) => [packed, this.archive(packed)]))),
      }),
      ...project.files,
    });
    for (const [member, files] of Object.entries(members))
      writeFiles(join(folder, "packages", member), files);
    await this.#run(folder, manager.install);
    return {
      folder,
      node: (file, from = ".") => this.#run(join(folder, from), [...manager.node, file]),
      command: (command, ...args) => this.#run(folder, [...manager.command(command), ...args]),
      run: (...command) => this.#run(folder, command),
    };
  }

  #dependencies(manager: Manager, { dependencies, links = {}, siblings = [] }: Depends) {
    return {
      dependencies: Object.fromEntries([
        ...dependencies.map((name) => [name, this.archive(name)]),
        ...Object.entries(links).map(([name, folder]) => [name, manager.link(folder)]),
        ...siblings.map((name) => [name, manager.sibling]),
      ]),
    };
  }

  async #run(cwd: string, [program, ...args]: Command): Promise<string> {
    // What the surrounding manager and the user's settings say must reach none of these.
    const inherited = Object.entries(process.env).filter(
      ([key]) => !/^(npm_|pnpm_|yarn_|bun_|CI$|CODEX_ML_|NODE_OPTIONS$|VITEST|INIT_CWD$)/i.test(key),
    );
    const env = {
      ...Object.fromEntries(inherited),
      HOME: this.directory,
      npm_config_registry: NOWHERE,
      npm_config_update_notifier: "false",
      NO_COLOR: "1",
    };
    try {
      const { stdout } = await execute(program, args, { cwd, env });
      return stdout;
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      throw new Error(`${program} ${args.join(" ")} failed in ${cwd}\n${stdout}${stderr}`, { cause: error });
    }
  }
}

interface Depends {
  /** Names of packed packages. */
  readonly dependencies: readonly string[];
  /** Folders by the name they are depended on. */
  readonly links?: Readonly<Record<string, string>>;
  /** Names of other members of the workspace. */
  readonly siblings?: readonly string[];
}

export interface ProjectSource extends Depends {
  readonly files?: Readonly<Record<string, string>>;
  /** Makes it a workspace. */
  readonly members?: readonly (PackageSource & Depends)[];
}

/** A project with what it depends on. */
export interface Installed {
  readonly folder: string;
  /** What a module of the project prints, run in a folder of it. */
  node(file: string, from?: string): Promise<string>;
  /** What a command of an installed package prints. */
  command(name: string, ...args: string[]): Promise<string>;
  run(...command: Command): Promise<string>;
}
