import { Command } from "commander";
import type { CheckpointChoice } from "../run/checkpoint.ts";
import { checkpointOption, importNamed, importOption, numberOption } from "./options.ts";

interface GenerateFlags {
  readonly import?: readonly string[];
  readonly checkpoint?: CheckpointChoice;
  readonly prompt: string;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
}

/** `codex-ml generate`: text from a trained run, as it is written. */
export function generateCommand(): Command {
  return new Command("generate")
    .description("Write text with a trained run.")
    .argument("<run-dir>", "a run directory")
    .requiredOption("--prompt <text>", "what the text begins with")
    .option(
      "--max-new-tokens <n>",
      "most tokens to write",
      numberOption("--max-new-tokens", { min: 1, integer: true }),
      100,
    )
    .option(
      "--temperature <t>",
      "0 always takes the most likely token",
      numberOption("--temperature", { min: 0 }),
      0.8,
    )
    .option(
      "--top-k <k>",
      "only the k most likely tokens",
      numberOption("--top-k", { min: 1, integer: true }),
    )
    .option(
      "--top-p <p>",
      "only the most likely tokens that reach this probability",
      numberOption("--top-p", { min: 0, max: 1 }),
    )
    .addOption(checkpointOption())
    .addOption(importOption())
    .option("--seed <n>", "equal seeds give equal text", numberOption("--seed", { min: 0, integer: true }), 0)
    .addHelpText(
      "after",
      '\nExample:\n  codex-ml generate runs/moby-dick-20260131-120000 --prompt "Call me Ishmael" --max-new-tokens 100 --seed 1\n',
    )
    .action(async (path: string, { prompt, checkpoint, import: modules, ...options }: GenerateFlags) => {
      await importNamed(modules);
      const { loadRun } = await import("../run/loaded-run.ts");
      const run = await loadRun(path, undefined, checkpoint);
      const stop = new AbortController();
      process.once("SIGINT", () => stop.abort());
      const pieces = run.generate(prompt, { ...options, signal: stop.signal });
      process.stdout.write(prompt);
      for await (const piece of pieces) process.stdout.write(piece);
      process.stdout.write("\n");
      if (stop.signal.aborted) process.exitCode = 130;
    });
}
