/** The built command line at a pseudo-terminal. */
import { stripVTControlCharacters } from "node:util";
import { spawnAtTerminal } from "../cli/pseudo-terminal.ts";

/** One keystroke or more, sent once the screen has what is waited for. */
export interface Answer {
  readonly to: RegExp;
  readonly keys: string;
}

export const keys = {
  enter: "\r",
  down: "\x1b[B",
  interrupt: "\x03",
  escape: "\x1b",
  erase: "\x15",
} as const;

/** Answers questions one after the other; gives all that was on the screen, without colours, and the exit code. */
export function atTerminal(
  args: readonly string[],
  cwd: string,
  answers: readonly Answer[],
): Promise<{ readonly code: number | null; readonly screen: string }> {
  const child = spawnAtTerminal(args, cwd);
  const left = [...answers];
  let screen = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += stripVTControlCharacters(text);
    const [next] = left;
    if (next === undefined || !next.to.test(screen.slice(seen))) return;
    left.shift();
    seen = screen.length;
    child.stdin.write(next.keys);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (left.length === 0) resolve({ code, screen });
      else reject(new Error(`ended with ${code} before it asked ${left[0]?.to}\n${screen}`));
    });
  });
}
