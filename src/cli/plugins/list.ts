import { Command } from "commander";
import { describeOrigin, type PluginProblem, type RegistryEntry } from "../../registry/index.ts";
import { colorsFor } from "../../tracking/colors.ts";
import { importNamed, importOption } from "../options.ts";

interface ListFlags {
  readonly kind?: string;
  readonly import?: readonly string[];
  readonly json?: true;
}

/** `codex-ml plugins list`: every component of this project, with its origin. */
export function listCommand(): Command {
  return new Command("list")
    .description("List every component with its origin. Reads manifests only; imports no component.")
    .option("--kind <kind>", "only one kind, for example metrics")
    .addOption(importOption())
    .option("--json", "print JSON on stdout")
    .addHelpText("after", "\nExample:\n  codex-ml plugins list --kind metrics\n")
    .action(async (flags: ListFlags) => {
      await importNamed(flags.import);
      const { listComponents } = await import("../../plugins/list.ts");
      const { components, problems, off } = listComponents(flags.kind);
      if (flags.json)
        process.stdout.write(`${JSON.stringify({ components, problems, off }, undefined, 2)}\n`);
      else
        process.stdout.write(
          `${table(components, problems)}${off === undefined ? "" : `\nNo package was looked at: ${off}.\n`}`,
        );
    });
}

type Row = RegistryEntry & { readonly kind: string };

function table(components: readonly Row[], problems: readonly PluginProblem[]): string {
  const colors = colorsFor(process.stdout);
  const rows = components.map((entry) => ({ ...entry, from: describeOrigin(entry.origin) }));
  const nameWidth = Math.max(0, ...rows.map(({ name, aliases }) => label(name, aliases).length));
  const fromWidth = Math.max(0, ...rows.map(({ from }) => from.length));
  let lastKind = "";
  const lines = rows.flatMap(({ kind, name, aliases, from, origin, description }) => {
    const heading = kind === lastKind ? [] : [...(lastKind === "" ? [] : [""]), colors.bold(kind)];
    lastKind = kind;
    const note = origin.status === "shadowed" ? colors.yellow(" (shadowed)") : "";
    const cells = [
      label(name, aliases).padEnd(nameWidth),
      colors.dim(from.padEnd(fromWidth)),
      description ?? "",
    ];
    return [...heading, `  ${cells.join("  ").trimEnd()}${note}`];
  });
  const told = problems.map(({ message }) => `  ${colors.yellow("!")} ${message}`);
  return `${[...lines, ...(told.length > 0 ? ["", colors.bold("problems"), ...told] : [])].join("\n")}\n`;
}

function label(name: string, aliases: readonly string[]): string {
  return aliases.length === 0 ? name : `${name} (${aliases.join(", ")})`;
}
