import { Command } from "commander";
import type { InventoryEntry } from "../../run/checkpoint-inventory.ts";

/** `codex-ml checkpoints list`: what lies in a run's folder of checkpoints. */
export function listCommand(): Command {
  return new Command("list")
    .description("List the checkpoints of a run, newest first; nothing is verified.")
    .argument("<run-dir>", "a run directory")
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("after", "\nExample:\n  codex-ml checkpoints list runs/moby-dick-20260131-120000\n")
    .action(async (path: string, { json }: { readonly json?: true }) => {
      const { listInventory } = await import("../../run/checkpoint-inventory.ts");
      const checkpoints = await listInventory(path);
      process.stdout.write(
        json ? `${JSON.stringify({ type: "checkpoints", checkpoints })}\n` : table(checkpoints),
      );
    });
}

/** One line an entry: path, size, when, and what is special about it. */
export function table(entries: readonly InventoryEntry[]): string {
  if (entries.length === 0) return "no checkpoints\n";
  const rows = entries.map((entry) => [
    entry.path,
    size(entry.bytes),
    entry.saved?.replace("T", " ").slice(0, 19) ?? "",
    remark(entry),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return `${rows
    .map(([name = "", bytes = "", saved = "", note = ""]) =>
      [name.padEnd(widths[0] ?? 0), bytes.padStart(widths[1] ?? 0), saved.padEnd(widths[2] ?? 0), note]
        .join("  ")
        .trimEnd(),
    )
    .join("\n")}\n`;
}

function remark({ kind, best }: InventoryEntry): string {
  if (kind === "staging") return "unfinished";
  if (kind === "set aside") return "damaged, set aside";
  return best === undefined ? "" : `best so far: ${best.metric} ${best.value}`;
}

export function size(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
