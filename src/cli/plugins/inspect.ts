import { Command } from "commander";
import type { Inspection } from "../../plugins/inspect.ts";
import { optionCells } from "../../plugins/option-rows.ts";
import { describeOrigin } from "../../registry/index.ts";
import { colorsFor } from "../../tracking/colors.ts";
import { importNamed, importOption } from "../options.ts";

interface InspectFlags {
  readonly import?: readonly string[];
  readonly json?: true;
}

/** `codex-ml plugins inspect`: one component, imported to see whether it can be used. */
export function inspectCommand(): Command {
  return new Command("inspect")
    .description(
      "Look at one component: where it comes from, whether it can be imported, which options it takes.",
    )
    .argument("<kind/name>", "for example metrics/perplexity")
    .addOption(importOption())
    .option("--json", "print JSON on stdout")
    .addHelpText("after", "\nExample:\n  codex-ml plugins inspect trainers/causal_lm\n")
    .action(async (reference: string, flags: InspectFlags) => {
      await importNamed(flags.import);
      const { inspectComponent } = await import("../../plugins/inspect.ts");
      const inspection = await inspectComponent(reference);
      const { failure } = inspection;
      const json = { ...inspection, failure: failure?.message };
      process.stdout.write(flags.json ? `${JSON.stringify(json, undefined, 2)}\n` : sheet(inspection));
      // It was asked whether this works.
      if (failure !== undefined) process.exitCode = 1;
    });
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
    const { type, limits, fallback, meaning } = optionCells(option);
    return [option.name, `${type} ${limits}`.trimEnd(), fallback, meaning] as const;
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
