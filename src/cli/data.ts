import { Command, Option } from "commander";
import type { Split } from "../data-loaders/index.ts";
import { collect, importNamed, importOption, numberOption } from "./options.ts";

interface InspectFlags {
  readonly split?: Split;
  readonly examples?: number;
  readonly limit?: number;
  readonly epoch?: number;
  readonly start?: number;
  readonly set?: readonly string[];
  readonly import?: readonly string[];
  readonly json?: true;
}

/** `codex-ml data`: looking at data before it is trained on. */
export function dataCommand(): Command {
  return new Command("data")
    .description("Look at the data of a run file.")
    .addHelpText("after", "\nExample:\n  codex-ml data inspect examples/moby-dick.yaml\n")
    .addCommand(inspectCommand());
}

/** `codex-ml data inspect`: what a run would train on, as its model would see it. */
function inspectCommand(): Command {
  return new Command("inspect")
    .description(
      "Look at what a run file would train on: examples as the model sees them, lengths, what is cut, left out or there twice.",
    )
    .argument("<run-file>", "YAML, JSON or TypeScript")
    .addOption(
      new Option("--split <name>", "look at one split (default: all)").choices([
        "train",
        "validation",
        "test",
      ]),
    )
    .option(
      "--examples <n>",
      "examples to show (default: 3)",
      numberOption("--examples", { min: 0, integer: true }),
    )
    .option(
      "--limit <n>",
      "most examples of a split to look at (default: 10000)",
      numberOption("--limit", { min: 1, integer: true }),
    )
    .option(
      "--epoch <n>",
      "the pass over the data whose order is meant, from 0 (default: 0)",
      numberOption("--epoch", { min: 0, integer: true }),
    )
    .option(
      "--start <n>",
      "where in that order to begin, from 0 (default: 0)",
      numberOption("--start", { min: 0, integer: true }),
    )
    .option("--set <path=value>", "replace a value of the run file (may be repeated)", collect)
    .addOption(importOption())
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText(
      "after",
      "\nExample:\n  codex-ml data inspect examples/moby-dick.yaml --examples 1\n\nThe tokenizer is trained as for a run; no run directory is made.\n",
    )
    .action(async (path: string, { json, import: modules, ...options }: InspectFlags) => {
      await importNamed(modules);
      const { inspectData } = await import("../run/inspect-data.ts");
      const inspection = await inspectData(path, options);
      if (json) {
        const { jsonLine } = await import("../tracking/index.ts");
        process.stdout.write(`${jsonLine(inspection)}\n`);
        return;
      }
      const { formatInspection } = await import("./data/report.ts");
      process.stdout.write(formatInspection(inspection));
    });
}
