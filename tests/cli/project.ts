/** A project in a temporary folder, and the built command line run in it as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunEvent } from "../../src/trainers/index.ts";

export const repository = fileURLToPath(new URL("../../", import.meta.url));
const cli = join(repository, "dist", "cli.mjs");

/** How a process ended. */
export interface Result {
  /** As a shell sees it: 130 for a process that SIGINT ended. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node itself, before the program. */
  readonly node?: readonly string[];
}

/** A command that runs. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Result>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], cwd: string, { env = {}, node = [] }: RunOptions) {
    if (!existsSync(cli)) throw new Error("dist/cli.mjs is missing: `npm run build` first");
    // What the shell that runs the tests has set must not change what they see.
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(CODEX_ML_|VITEST|NODE_OPTIONS$|FORCE_COLOR$|DEBUG$)/.test(name),
    );
    this.child = spawn(process.execPath, [...node, cli, ...args], {
      cwd,
      env: { ...Object.fromEntries(inherited), NO_COLOR: "1", CODEX_ML_SPIN: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) => {
        const { stdout, stderr } = this;
        resolve({ code: code ?? 128 + constants.signals[signal ?? "SIGKILL"], stdout, stderr });
      });
    });
  }

  /** Waits until stdout has what is looked for; fails when the process ends before that. */
  prints(pattern: RegExp): Promise<void> {
    return this.#shows("stdout", pattern);
  }

  /** The same for stderr. */
  says(pattern: RegExp): Promise<void> {
    return this.#shows("stderr", pattern);
  }

  #shows(stream: "stdout" | "stderr", pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (pattern.test(this[stream])) resolve();
      };
      this.child[stream]?.on("data", look);
      look();
      void this.ended.then(({ code, stdout, stderr }) => {
        reject(new Error(`ended with ${code} before ${stream} had ${pattern}\n${stdout}${stderr}`));
      });
    });
  }
}

const projects: Project[] = [];

/** Ends what still runs and removes every project's folder. */
export async function removeProjects(): Promise<void> {
  for (const project of projects.splice(0)) await project.remove();
}

export class Project {
  readonly directory: string;
  readonly #started: Running[] = [];

  private constructor(directory: string) {
    this.directory = directory;
    projects.push(this);
  }

  /** @param files Text by path. */
  static async create(files: Readonly<Record<string, string>> = {}): Promise<Project> {
    const project = new Project(await realpath(await mkdtemp(join(tmpdir(), "codex-ml-cli-"))));
    for (const [path, text] of Object.entries(files)) await project.write(path, text);
    return project;
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  async write(path: string, content: string | Uint8Array): Promise<void> {
    await mkdir(dirname(this.path(path)), { recursive: true });
    await writeFile(this.path(path), content);
  }

  text(...parts: string[]): Promise<string> {
    return readFile(this.path(...parts), "utf8");
  }

  bytes(...parts: string[]): Promise<Buffer> {
    return readFile(this.path(...parts));
  }

  copy(from: string, to: string): Promise<void> {
    return cp(resolve(this.directory, from), this.path(to), { recursive: true });
  }

  /** Makes `import "codex-ml"` work in the project's own files. */
  async linkCodexMl(): Promise<void> {
    await mkdir(this.path("node_modules"), { recursive: true });
    await symlink(repository, this.path("node_modules", "codex-ml"), "dir");
  }

  /** Paths of everything below a folder, sorted; what is installed is left out, and no link is followed. */
  async files(folder = "."): Promise<string[]> {
    const entries = await readdir(this.path(folder), { withFileTypes: true });
    const below = await Promise.all(
      entries
        .filter(({ name }) => name !== "node_modules")
        .map(async (entry) => {
          const inside = entry.isDirectory() ? await this.files(join(folder, entry.name)) : [];
          return [entry.name, ...inside.map((path) => `${entry.name}/${path}`)];
        }),
    );
    return below.flat().sort();
  }

  /** The events of a run directory. */
  async events(run: string): Promise<RunEvent[]> {
    return parseEvents(await this.text(run, "metrics.ndjson"));
  }

  /** The one run directory under `runs/`. */
  async onlyRun(): Promise<string> {
    const runs = await readdir(this.path("runs"));
    if (runs.length !== 1 || runs[0] === undefined)
      throw new Error(`${runs.length} runs: ${runs.join(", ")}`);
    return `runs/${runs[0]}`;
  }

  start(args: readonly string[], options: RunOptions = {}): Running {
    const running = new Running(args, options.cwd ?? this.directory, options);
    this.#started.push(running);
    return running;
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return this.start(args, options).ended;
  }

  /** Trains, and fails with what was printed when that fails. */
  async train(...args: string[]): Promise<Result> {
    const result = await this.run(["train", ...args]);
    if (result.code !== 0) throw new Error(`train ${args.join(" ")} gave ${result.code}\n${result.stderr}`);
    return result;
  }

  async remove(): Promise<void> {
    for (const { child } of this.#started) if (child.exitCode === null) child.kill("SIGKILL");
    await Promise.all(this.#started.map(({ ended }) => ended));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Parses every line, the last one included: a line that is no JSON throws. */
export function parseEvents(text: string): RunEvent[] {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => JSON.parse(line) as RunEvent);
}

export function ofType<Type extends RunEvent["type"]>(
  events: readonly RunEvent[],
  type: Type,
): Extract<RunEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type);
}
