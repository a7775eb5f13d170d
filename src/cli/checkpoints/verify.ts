import { Command } from "commander";

/** `codex-ml checkpoints verify`: whether every byte is what was written. */
export function verifyCommand(): Command {
  return new Command("verify")
    .description(
      "Compare every byte of a run's checkpoints with what was written. Exits with 1 when one is damaged.",
    )
    .argument("<run-dir>", "a run directory")
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("after", "\nExample:\n  codex-ml checkpoints verify runs/moby-dick-20260131-120000\n")
    .action(async (path: string, { json }: { readonly json?: true }) => {
      const { verifyInventory } = await import("../../run/checkpoint-inventory.ts");
      const checkpoints = await verifyInventory(path);
      if (checkpoints.some(({ problem }) => problem !== undefined)) process.exitCode = 1;
      if (json) process.stdout.write(`${JSON.stringify({ type: "checkpoints", checkpoints })}\n`);
      else if (checkpoints.length === 0) process.stdout.write("no checkpoints\n");
      else
        for (const { path: name, problem } of checkpoints)
          process.stdout.write(`${name}  ${problem === undefined ? "whole" : `damaged: ${problem}`}\n`);
    });
}
