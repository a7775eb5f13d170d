import { Command, Option } from "commander";
import type { Split } from "../data-loaders/index.ts";
import type { CheckpointChoice } from "../run/checkpoint.ts";
import type { DeviceChoice } from "../runtime/devices/choices.ts";
import { checkpointOption, deviceOption, fallbackOption, importNamed, importOption } from "./options.ts";

interface EvaluateFlags {
  readonly import?: readonly string[];
  readonly checkpoint?: CheckpointChoice;
  readonly fallback?: true;
  readonly device?: DeviceChoice;
  readonly split?: Split;
  readonly data?: string;
  readonly json?: true;
}

/** `codex-ml evaluate`: the run's metrics over a split or over other text. */
export function evaluateCommand(): Command {
  return new Command("evaluate")
    .description("Compute the loss and the metrics of a trained run.")
    .argument("<run-dir>", "a run directory")
    .addOption(
      new Option("--split <name>", "split of the run's data (default: validation)").choices([
        "train",
        "validation",
        "test",
      ]),
    )
    .addOption(checkpointOption())
    .addOption(fallbackOption())
    .addOption(deviceOption())
    .addOption(importOption())
    .option("--data <path>", "evaluate on the whole text of a file, folder or glob instead")
    .option("--json", "print one JSON event on stdout, and nothing else")
    .addHelpText(
      "after",
      "\nExample:\n  codex-ml evaluate runs/moby-dick-20260131-120000 --data other-book.txt\n",
    )
    .action(async (path: string, flags: EvaluateFlags) => {
      const { split, data, json, checkpoint, fallback, device, import: modules } = flags;
      await importNamed(modules);
      const { loadRun } = await import("../run/loaded-run.ts");
      const { eventLine, formatEvaluationTable } = await import("../tracking/index.ts");
      const { printable } = await import("../tracking/format.ts");
      const run = await loadRun(path, { checkpoint, fallback, device });
      const { warnings = [], ...evaluation } = await run.evaluate({
        ...(split && { split }),
        ...(data !== undefined && { data }),
      });
      const event = {
        ...{ type: "evaluation" as const, step: run.step, ...evaluation },
        ...(warnings.length > 0 && { warnings }),
      };
      if (!json) {
        process.stdout.write(formatEvaluationTable(event, data));
        for (const warning of warnings) console.error(`note  ${printable(warning)}`);
      } else
        process.stdout.write(
          `${data === undefined ? eventLine(event) : eventLine({ ...event, split: "data", data })}\n`,
        );
    });
}
