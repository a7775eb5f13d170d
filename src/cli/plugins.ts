import { Command } from "commander";
import type { PluginProblem, RegistryEntry } from "../registry/index.ts";
import { describeOrigin } from "../registry/index.ts";
import type { Inspection } from "../run/inspect-component.ts";
import { colorsFor } from "../tracking/colors.ts";
import { importNamed, importOption } from "./options.ts";

interface ListFlags {
  readonly kind?: string;
  readonly import?: readonly string[];
  readonly json?: true;
}

/** `codex-ml plugins`: what there is and where it comes from. */
export function pluginsCommand(): Command {
  const list = new Command("list")
    .description("List every component with its origin. Reads manifests only; imports no component.")
    .option("--kind <kind>", "only one kind, for example metrics")
    .addOption(importOption())
    .option("--json", "print JSON on stdout")
    .addHelpText("after", "\nExample:\n  codex-ml plugins list --kind metrics\n")
    .action(async (flags: ListFlags) => {
      await importNamed(flags.import);
      const { listComponents } = await import("../run/list-components.ts");
      const { components, problems, off } = listComponents(flags.kind);
      if (flags.json)
        process.stdout.write(`${JSON.stringify({ components, problems, off }, undefined, 2)}\n`);
      else
        process.stdout.write(
          `${table(components, problems)}${off === undefined ? "" : `\nNo package was looked at: ${off}.\n`}`,
        );
    });
  const inspect = new Command("inspect")
    .description(
      "Look at one component: where it comes from, whether it can be imported, which options it takes.",
    )
    .argument("<kind/name>", "for example metrics/perplexity")
    .addOption(importOption())
    .option("--json", "print JSON on stdout")
    .addHelpText("after", "\nExample:\n  codex-ml plugins inspect trainers/causal_lm\n")
    .action(async (reference: string, flags: ListFlags) => {
      await importNamed(flags.import);
      const { inspectComponent } = await import("../run/inspect-component.ts");
      const inspection = await inspectComponent(reference);
      const { failure } = inspection;
      const json = { ...inspection, failure: failure?.message };
      process.stdout.write(flags.json ? `${JSON.stringify(json, undefined, 2)}\n` : sheet(inspection));
      // It was asked whether this works.
      if (failure !== undefined) process.exitCode = 1;
    });
  return new Command("plugins")
    .description("Look at the components that this project can use.")
    .addHelpText("after", "\nExample:\n  codex-ml plugins list --kind metrics\n")
    .addCommand(list)
    .addCommand(inspect);
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

function sheet({ kind, name, aliases, description, origin, shadows, failure, options }: Inspection): string {
  const colors = colorsFor(process.stdout);
  const facts: [string, string | undefined][] = [
    ["origin", describeOrigin(origin)],
    ["declared in", origin.kind === "entry-point" ? origin.location : undefined],
    ["aliases", aliases.length > 0 ? aliases.join(", ") : undefined],
    ["shadows", shadows.length > 0 ? shadows.map(describeOrigin).join("; ") : undefined],
    ["import", failure === undefined ? colors.green("works") : colors.red(failure.message)],
  ];
  const lines = facts.flatMap(([fact, value]) =>
    value === undefined
      ? []
      : [`  ${colors.dim(fact.padEnd(11))}  ${value.replaceAll("\n", "\n               ")}`],
  );
  const title = [
    `${colors.bold(`${kind}/${name}`)}${description === undefined ? "" : `  ${description}`}`,
    "",
  ];
  return `${[...title, ...lines, "", ...optionLines(options)].join("\n")}\n`;
}

function optionLines(options: Inspection["options"]): string[] {
  const colors = colorsFor(process.stdout);
  if (options === undefined) return [colors.dim("It does not describe its options.")];
  if (options.length === 0) return [colors.dim("It takes no options.")];
  const rows = options.map((option) => {
    const fallback = "default" in option ? JSON.stringify(option.default) : option.required ? "required" : "";
    return [option.name, option.type, fallback, option.description ?? ""] as const;
  });
  const width = (column: 0 | 1 | 2) => Math.max(...rows.map((row) => row[column].length));
  const widths = [width(0), width(1), width(2)] as const;
  return [
    colors.bold("options"),
    ...rows.map(([name, type, fallback, text]) =>
      `  ${name.padEnd(widths[0])}  ${colors.dim(type.padEnd(widths[1]))}  ${fallback.padEnd(widths[2])}  ${text}`.trimEnd(),
    ),
  ];
}
