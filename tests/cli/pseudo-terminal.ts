/** A real pseudo-terminal, by whichever program of this machine makes one: `script` of util-linux, that of BSD, or Python. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { EmulatedScreen } from "../tracking/screen.ts";
import { repository } from "./project.ts";

const makers: readonly (readonly [probe: readonly string[], command: (line: string) => readonly string[]])[] =
  [
    [["script", "--version"], (line) => ["script", "--quiet", "--return", "--command", line, "/dev/null"]],
    [["script", "-q", "/dev/null", "true"], (line) => ["script", "-q", "/dev/null", "/bin/sh", "-c", line]],
    [
      ["python3", "-c", "import pty"],
      (line) => [
        "python3",
        "-c",
        "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(['/bin/sh', '-c', sys.argv[1]])))",
        line,
      ],
    ],
  ];

function maker(): (line: string) => readonly string[] {
  for (const [[program = "", ...args], command] of makers)
    try {
      execFileSync(program, args, { stdio: "ignore" });
      return command;
    } catch {
      // The next one may be there.
    }
  throw new Error("no program here makes a pseudo-terminal: `script` (util-linux or BSD) or python3");
}

export interface TerminalSize {
  readonly columns?: number;
  readonly rows?: number;
}

/** Starts the built command line at a terminal of its own; stdin and stdout of the child are its keyboard and screen. */
export function spawnAtTerminal(
  args: readonly string[],
  cwd: string,
  { columns = 100, rows = 40 }: TerminalSize = {},
  env: NodeJS.ProcessEnv = process.env,
): ChildProcessWithoutNullStreams {
  const words = [process.execPath, join(repository, "dist", "cli.mjs"), ...args];
  const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ");
  const [program = "", ...rest] = maker()(`stty cols ${columns} rows ${rows}; exec ${quoted}`);
  return spawn(program, rest, { cwd, env: { ...env, TERM: "xterm", SHELL: "/bin/sh" }, timeout: 100_000 });
}

/** A command at a terminal, what is on its screen, and its keyboard. */
export class AtTerminal {
  readonly screen: EmulatedScreen;
  readonly child: ChildProcessWithoutNullStreams;
  /** As a shell sees it. */
  readonly code: Promise<number>;

  constructor(
    args: readonly string[],
    cwd: string,
    { columns = 100, rows = 40, env = {} }: TerminalSize & { readonly env?: NodeJS.ProcessEnv } = {},
  ) {
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(CI|NO_COLOR|FORCE_COLOR|CODEX_ML_.*|VITEST.*|NODE_OPTIONS)$/.test(name),
    );
    this.screen = new EmulatedScreen(columns, rows);
    this.child = spawnAtTerminal(
      args,
      cwd,
      { columns, rows },
      {
        ...Object.fromEntries(kept),
        CODEX_ML_SPIN: "0",
        ...env,
      },
    );
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => this.screen.write(text));
    this.code = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) =>
        resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]),
      );
    });
  }

  press(keys: string): void {
    this.child.stdin.write(keys);
  }

  /** Waits until what came to the screen, with all that was drawn over, has what is looked for. */
  shows(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (pattern.test(this.screen.writes.join(""))) resolve();
      };
      this.child.stdout.on("data", look);
      look();
      void this.code.then((code) =>
        reject(new Error(`ended with ${code} before ${pattern}\n${this.screen.writes.join("")}`)),
      );
    });
  }
}
