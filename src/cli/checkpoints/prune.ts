import { Command } from "commander";
import { numberOption } from "../options.ts";
import { size, table } from "./list.ts";

interface PruneFlags {
  readonly keep: number;
  readonly json?: true;
}

/** `codex-ml checkpoints prune`: makes room. */
export function pruneCommand(): Command {
  return new Command("prune")
    .description(
      "Remove all but the newest checkpoints and that of the best evaluation; also damaged ones that were set aside, and what unfinished saves left.",
    )
    .argument("<run-dir>", "a run directory")
    .option("--keep <n>", "checkpoints to keep", numberOption("--keep", { min: 1, integer: true }), 1)
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText(
      "after",
      "\nExample:\n  codex-ml checkpoints prune runs/moby-dick-20260131-120000 --keep 1\n",
    )
    .action(async (path: string, { keep, json }: PruneFlags) => {
      const { pruneCheckpoints } = await import("../../run/checkpoint-inventory.ts");
      const removed = await pruneCheckpoints(path, keep);
      const bytes = removed.reduce((sum, entry) => sum + entry.bytes, 0);
      if (json) process.stdout.write(`${JSON.stringify({ type: "pruned", removed, bytes })}\n`);
      else if (removed.length === 0) process.stdout.write("nothing to remove\n");
      else process.stdout.write(`${table(removed)}removed ${size(bytes)}\n`);
    });
}
