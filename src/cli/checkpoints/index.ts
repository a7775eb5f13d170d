import { Command } from "commander";
import { listCommand } from "./list.ts";
import { pruneCommand } from "./prune.ts";
import { verifyCommand } from "./verify.ts";

/** `codex-ml checkpoints`: what a run has saved. */
export function checkpointsCommand(): Command {
  return new Command("checkpoints")
    .description("List, verify and remove the checkpoints of a run.")
    .addHelpText("after", "\nExample:\n  codex-ml checkpoints verify runs/moby-dick-20260131-120000\n")
    .addCommand(listCommand())
    .addCommand(verifyCommand())
    .addCommand(pruneCommand());
}
