import { colorsFor } from "../tracking/colors.ts";

// Told apart by their codes, not their classes: importing those would load a run's machinery for every --help.
const askedWrongly =
  /^(USAGE|RUN_FILE|RUN_DIRECTORY_(CREATE|NONE|LOCKED)|RESUME_REFUSED|CHECKPOINT_NONE|REGISTRY_.*)$/;

/** 2 when it was asked wrongly, 1 when the work failed. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return askedWrongly.test(codeOf(error) ?? "") ? 2 : 1;
}

/** Prints an error for people, on stderr. The stack only of what is nobody's mistake but ours, and when asked for. */
export function report(error: unknown): void {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const label = colorsFor(process.stderr).red("error");
  // A run file's mistakes come one a line; what is indented belongs to the line before.
  const lines = code === "RUN_FILE" ? message.split("\n") : [message];
  for (const line of lines) console.error(line.startsWith(" ") ? line : `${label}  ${line}`);
  if (error instanceof Error && (code === undefined || process.env.CODEX_ML_DEBUG === "1"))
    console.error(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * Calls `stop` when whoever reads our output has gone (`… | head`), instead of letting the write throw. Default: end
 * quietly, with the exit code that a shell gives a program which SIGPIPE ended.
 */
export function whenOutputCloses(stop: () => void = () => process.exit(141)): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners("error");
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      stop();
    });
  }
}
