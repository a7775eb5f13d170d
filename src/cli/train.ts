import { Command } from "commander";
import type { Run } from "../run/train.ts";
import type { EndEvent } from "../trainers/index.ts";
import { report, whenOutputCloses } from "./failure.ts";
import { collect, importNamed, importOption } from "./options.ts";

interface TrainFlags {
  readonly import?: readonly string[];
  readonly set?: readonly string[];
  readonly out?: string;
  readonly json?: true;
}

/** `codex-ml train`: a run file in, a run directory out. */
export function trainCommand(): Command {
  return new Command("train")
    .description("Train what a run file describes, into a new run directory.")
    .argument("<run-file>", "YAML, JSON or TypeScript")
    .option("--set <path=value>", "replace a value of the run file (may be repeated)", collect)
    .addOption(importOption())
    .option("--out <dir>", "the run directory (default: runs/<name>-<time>)")
    .option("--json", "print one JSON event a line on stdout, and nothing else")
    .addHelpText(
      "after",
      `
Example:
  codex-ml train examples/moby-dick.yaml --set trainer.maxSteps=200 --set model.hiddenSize=64

Ctrl-C finishes the step that runs, saves a checkpoint and ends; a second Ctrl-C ends at once.
`,
    )
    .action(async (path: string, flags: TrainFlags) => {
      await importNamed(flags.import);
      const { train } = await import("../run/train.ts");
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
      const run = await train(path, {
        set: flags.set ?? [],
        out: flags.out,
        signal: stop.signal,
        trackers: [flags.json ? ndjsonStream(process.stdout) : terminal()],
      });
      try {
        const { reason, prompt } = await drain(run);
        if (reason === "interrupted") process.exitCode = 130;
        const directory = displayPath(run.directory);
        if (!flags.json)
          process.stderr.write(
            `\n${formatNextSteps({ directory, prompt, generates: run.task === "causal_lm" }, colorsFor(process.stderr))}`,
          );
      } catch (error) {
        // What went wrong once the run had begun is work that failed. The terminal's listener has shown it already.
        if (flags.json) report(error);
        else process.stderr.write(`run directory: ${displayPath(run.directory)}\n`);
        process.exitCode = 1;
      } finally {
        process.off("SIGINT", interrupt);
      }
    });
}

async function drain(
  run: Run,
): Promise<{ readonly reason: EndEvent["reason"]; readonly prompt: string | undefined }> {
  let prompt: string | undefined;
  let reason: EndEvent["reason"] = "interrupted";
  for await (const event of run) {
    if (event.type === "sample") prompt = event.prompt;
    if (event.type === "end") reason = event.reason;
  }
  return { reason, prompt };
}
