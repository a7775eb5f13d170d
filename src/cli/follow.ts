import type { Run, RunOptions } from "../run/run.ts";
import type { EndEvent } from "../trainers/index.ts";
import { report, whenOutputCloses } from "./failure.ts";

/** What `--help` says of both commands that train. */
export const interruptHelp =
  "Ctrl-C finishes the step that runs, saves a checkpoint and ends; a second Ctrl-C ends at once. SIGTERM does as the first.";

/** Begins a run, shows its events until its end, and sets the exit code. */
export async function follow(
  begin: (options: Pick<RunOptions, "signal" | "trackers">) => Promise<Run>,
  json: boolean,
): Promise<void> {
  const { colorsFor, formatNextSteps, ndjsonStream, terminal } = await import("../tracking/index.ts");
  const { displayPath } = await import("../run/problems.ts");
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) {
      process.stderr.write("\nended at once; what was not saved before is lost\n");
      process.exit(130);
    }
    process.stderr.write("\nfinishing this step, then saving; Ctrl-C again ends at once\n");
    stop.abort();
  };
  process.on("SIGINT", interrupt);
  process.once("SIGTERM", () => stop.abort());
  whenOutputCloses(() => stop.abort());
  const run = await begin({
    signal: stop.signal,
    trackers: [json ? ndjsonStream(process.stdout) : terminal()],
  });
  const directory = displayPath(run.directory);
  try {
    const { reason, prompt, failed } = await drain(run);
    if (reason === "interrupted") process.exitCode = 130;
    if (failed) process.exitCode = 1;
    if (json) return;
    const next = {
      directory,
      prompt,
      generates: run.task === "causal_lm",
      interrupted: reason === "interrupted",
    };
    process.stderr.write(`\n${formatNextSteps(next, colorsFor(process.stderr))}`);
  } catch (error) {
    // What went wrong once the run had begun is work that failed. The terminal's listener has shown it already.
    if (json) report(error);
    else process.stderr.write(`run directory: ${directory}\n`);
    process.exitCode = 1;
  } finally {
    process.off("SIGINT", interrupt);
  }
}

async function drain(run: Run): Promise<{
  readonly reason: EndEvent["reason"];
  readonly prompt: string | undefined;
  /** What it was to show, it did not. */
  readonly failed: boolean;
}> {
  let failed = false;
  let prompt: string | undefined;
  let reason: EndEvent["reason"] = "interrupted";
  for await (const event of run) {
    if (event.type === "sample") prompt = event.prompt;
    if (event.type === "overfit") failed = !event.passed;
    if (event.type === "end") reason = event.reason;
  }
  return { reason, prompt, failed };
}
