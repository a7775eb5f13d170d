import type { Run, RunOptions } from "../run/run.ts";
import type { EndEvent } from "../trainers/index.ts";
import { report, whenOutputCloses } from "./failure.ts";

/** What `--help` says of both commands that train. */
export const interruptHelp =
  "Ctrl-C finishes the step that runs, saves a checkpoint and ends; a second Ctrl-C ends at once. SIGTERM does as the first.";

/** How a run is shown: the options of both commands. */
export interface FollowFlags {
  readonly json?: true;
  readonly quiet?: true;
  readonly tensorboard: boolean;
}

/** Begins a run, shows its events until its end, and sets the exit code. */
export async function follow(
  begin: (options: Pick<RunOptions, "signal" | "trackers">) => Promise<Run>,
  { json, quiet }: Pick<FollowFlags, "json" | "quiet">,
): Promise<void> {
  const { colorsFor, formatNextSteps, ndjsonStream, terminal } = await import("../tracking/index.ts");
  const { displayPath } = await import("../run/problems.ts");
  const stop = new AbortController();
  const display = terminal({ quiet: quiet === true });
  const interrupt = () => {
    if (stop.signal.aborted) {
      display.note("ended at once; what was not saved before is lost");
      process.exit(130);
    }
    display.note("finishing this step, then saving; Ctrl-C again ends at once");
    stop.abort();
  };
  const terminate = () => {
    // By default the signal would leave a terminal without its cursor.
    if (stop.signal.aborted) process.exit(143);
    stop.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", terminate);
  whenOutputCloses(() => stop.abort());
  const run = await begin({
    signal: stop.signal,
    trackers: [json ? ndjsonStream(process.stdout) : display],
  });
  const directory = displayPath(run.directory);
  try {
    const { reason, prompt, failed } = await drain(run);
    if (reason === "interrupted") process.exitCode = 130;
    if (failed) process.exitCode = 1;
    if (json) return;
    if (quiet) {
      process.stderr.write(`run  ${directory}\n`);
      return;
    }
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
    process.off("SIGTERM", terminate);
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
