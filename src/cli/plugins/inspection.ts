import type { Inspection } from "../../plugins/inspect.ts";
import { optionCells } from "../../plugins/option-rows.ts";
import { describeOrigin } from "../../registry/index.ts";
import { displayPath } from "../../run/problems.ts";
import { originLabel } from "../../run/registries.ts";
import { colorsFor } from "../../tracking/colors.ts";

/** One component for people: facts, then the options that it takes. Paths are relative to the working directory. */
export function formatInspection(inspection: Inspection): string {
  const { kind, name, aliases, description, origin, file, failure, failedAt, options } = inspection;
  const colors = colorsFor(process.stdout);
  const isPackage = origin.kind === "entry-point";
  const claims = (rivals: Inspection["shadows"]) =>
    rivals.map((rival) => `${rival.name === name ? "" : `${rival.name}: `}${describeOrigin(rival.origin)}`);
  const facts: [string, readonly string[]][] = [
    [
      "origin",
      [isPackage ? originLabel(origin) : describeOrigin({ ...origin, location: shown(origin.location) })],
    ],
    ["declared in", isPackage ? optional(shown(origin.location)) : []],
    ["target", optional(origin.target)],
    ["file", optional(shown(file))],
    ["aliases", aliases.length > 0 ? [aliases.join(", ")] : []],
    ["shadows", claims(inspection.shadows)],
    ["shadowed by", claims(inspection.shadowedBy)],
    ["conflicts", claims(inspection.conflicts)],
    ["import", failure === undefined ? [colors.green("works")] : colors.red(failure.message).split("\n")],
    ["failed at", optional(shown(failedAt))],
  ];
  const lines = facts.flatMap(([fact, values]) =>
    values.map((value, index) => `  ${colors.dim((index === 0 ? fact : "").padEnd(11))}  ${value}`),
  );
  const title = [
    `${colors.bold(`${kind}/${name}`)}${description === undefined ? "" : `  ${description}`}`,
    "",
  ];
  const taken = failure === undefined ? ["", ...optionLines(options)] : [];
  return `${[...title, ...lines, ...taken].join("\n")}\n`;
}

function optional(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

function shown(path: string | undefined): string | undefined {
  return path === undefined ? undefined : displayPath(path);
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
