import { Command } from "commander";
import type { CheckpointChoice } from "../run/checkpoint.ts";
import type { LoadedRun } from "../run/loaded-run.ts";
import type { DeviceChoice } from "../runtime/devices/choices.ts";
import type { BatchGenerationOptions } from "../trainers/generation/index.ts";
import {
  checkpointOption,
  collect,
  deviceOption,
  fallbackOption,
  importNamed,
  importOption,
  numberOption,
} from "./options.ts";

interface GenerateFlags {
  readonly import?: readonly string[];
  readonly checkpoint?: CheckpointChoice;
  readonly fallback?: true;
  readonly device?: DeviceChoice;
  readonly prompt?: readonly string[];
  readonly prompts?: string;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly stop?: readonly string[];
  readonly numReturnSequences: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly json?: true;
}

const whole = (name: string, min: number) => numberOption(name, { min, integer: true });
const share = (name: string) => numberOption(name, { min: 0, max: 1 });

/** `codex-ml generate`: text from a trained run, as it is written. */
export function generateCommand(): Command {
  return new Command("generate")
    .description("Write text with a trained run.")
    .argument("<run-dir>", "a run directory")
    .option("--prompt <text>", "what the text begins with (may be repeated)", collect)
    .option(
      "--prompts <file>",
      "a prompt a line; of .jsonl, strings or the `prompt` of objects. They come after those of --prompt",
    )
    .option("--max-new-tokens <n>", "most tokens to write", whole("--max-new-tokens", 1), 100)
    .option(
      "--temperature <t>",
      "0 always takes the most likely token",
      numberOption("--temperature", { min: 0 }),
      0.8,
    )
    .option("--top-k <k>", "only the k most likely tokens", whole("--top-k", 1))
    .option("--top-p <p>", "only the most likely tokens that reach this probability", share("--top-p"))
    .option(
      "--min-p <p>",
      "only tokens with at least this share of the most likely one's probability",
      share("--min-p"),
    )
    .option(
      "--repetition-penalty <f>",
      "makes tokens of the text so far less likely (1: not at all)",
      numberOption("--repetition-penalty", { min: 0.01 }),
    )
    .option("--stop <text>", "end before this text (may be repeated)", collect)
    .option("--num-return-sequences <n>", "texts of each prompt", whole("--num-return-sequences", 1), 1)
    .option("--batch-size <n>", "texts written at the same time", whole("--batch-size", 1), 8)
    .addOption(checkpointOption())
    .addOption(fallbackOption())
    .addOption(deviceOption())
    .addOption(importOption())
    .option("--seed <n>", "equal seeds give equal text", whole("--seed", 0), 0)
    .option("--json", "one JSON object a text: prompt, sequence, text, finishReason")
    .addHelpText(
      "after",
      '\nExample:\n  codex-ml generate runs/moby-dick-20260131-120000 --prompt "Call me Ishmael" --max-new-tokens 100 --seed 1\n',
    )
    .action(async (path: string, flags: GenerateFlags) => {
      const { prompt = [], prompts: file, checkpoint, fallback, device, import: modules, ...rest } = flags;
      const { stop, json, ...options } = rest;
      await importNamed(modules);
      const { readPrompts } = await import("../run/prompt-file.ts");
      const prompts = [...prompt, ...(file === undefined ? [] : await readPrompts(file))];
      const { loadRun } = await import("../run/loaded-run.ts");
      const { printable } = await import("../tracking/format.ts");
      const { UsageError } = await import("../run/usage-error.ts");
      if (prompts.length === 0)
        throw new UsageError("There is no prompt to go on from: give --prompt TEXT, or --prompts FILE.");
      const run = await loadRun(path, { checkpoint, fallback, device });
      for (const warning of run.warnings) console.error(`note  ${printable(warning)}`);
      const interrupt = new AbortController();
      process.once("SIGINT", () => interrupt.abort());
      const given = { ...options, stopStrings: stop, signal: interrupt.signal };
      const isOne = prompts.length === 1 && options.numReturnSequences === 1 && !json;
      await (isOne ? streamOne(run, prompts, given) : printAll(run, prompts, given, json === true));
      if (interrupt.signal.aborted) process.exitCode = 130;
    });
}

async function streamOne(
  run: LoadedRun,
  prompts: readonly string[],
  options: BatchGenerationOptions,
): Promise<void> {
  const pieces = run.generateBatch(prompts, options);
  // What cannot be written at all is said before anything is.
  const first = await pieces.next();
  process.stdout.write(prompts[0] ?? "");
  if (!first.done) process.stdout.write(first.value.text);
  for await (const { text } of pieces) process.stdout.write(text);
  process.stdout.write("\n");
}

/** Several texts, each as a whole, in the order of the prompts. */
async function printAll(
  run: LoadedRun,
  prompts: readonly string[],
  options: BatchGenerationOptions,
  json: boolean,
): Promise<void> {
  const { numReturnSequences = 1 } = options;
  const texts = prompts.flatMap((prompt) =>
    Array.from({ length: numReturnSequences }, (_, sequence) => ({
      prompt,
      sequence,
      text: "",
      finishReason: "",
    })),
  );
  let printed = 0;
  for await (const piece of run.generateBatch(prompts, options)) {
    const written = texts[piece.prompt * numReturnSequences + piece.sequence];
    if (written === undefined) continue;
    written.text += piece.text;
    written.finishReason = piece.finishReason ?? "";
    for (let next = texts[printed]; next !== undefined && next.finishReason !== ""; next = texts[++printed])
      process.stdout.write(
        json ? `${JSON.stringify(next)}\n` : `${printed > 0 ? "\n" : ""}${next.prompt}${next.text}\n`,
      );
  }
}
