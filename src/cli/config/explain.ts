import { Command } from "commander";
import type { ExplainedValue, Explanation, Provenance } from "../../run/explain-run.ts";
import { colorsFor } from "../../tracking/colors.ts";
import { collect, importNamed, importOption } from "../options.ts";

interface ExplainFlags {
  readonly set?: readonly string[];
  readonly import?: readonly string[];
  readonly json?: true;
}

/** `codex-ml config explain`: the whole configuration of a run, and where each value comes from. */
export function explainCommand(): Command {
  return new Command("explain")
    .description("Show every value of a run, those that the file leaves out too, and where each comes from.")
    .argument("<run-file>", "YAML, JSON or TypeScript")
    .option("--set <path=value>", "replace a value of the run file (may be repeated)", collect)
    .addOption(importOption())
    .option("--json", "print one JSON object on stdout: `values`, `environment`")
    .addHelpText(
      "after",
      "\nExample:\n  codex-ml config explain examples/moby-dick.yaml --set trainer.maxSteps=100\n",
    )
    .action(async (path: string, { set = [], import: modules, json }: ExplainFlags) => {
      await importNamed(modules);
      const { explainRun } = await import("../../run/explain-run.ts");
      const { formatPath } = await import("../../run/problems.ts");
      const explanation = await explainRun(path, { set });
      const told = json
        ? `${JSON.stringify(
            {
              ...explanation,
              values: explanation.values.map((value) => ({ ...value, path: formatPath(value.path) })),
            },
            undefined,
            2,
          )}\n`
        : report(explanation, formatPath);
      process.stdout.write(told);
    });
}

function report(
  { values, environment }: Explanation,
  formatPath: (path: ExplainedValue["path"]) => string,
): string {
  const colors = colorsFor(process.stdout);
  const rows = values.map(({ path, value, source }) => ({
    path: formatPath(path),
    value: shown(value),
    place: placeOf(source),
    isDefault: source.from === "default",
  }));
  const width = (of: (row: (typeof rows)[number]) => string, most: number) =>
    Math.min(most, Math.max(...rows.map((row) => of(row).length)));
  const widths = [width(({ path }) => path, 40), width(({ value }) => value, 40)] as const;
  const lines = rows.map(({ path, value, place, isDefault }) => {
    const line = `${path.padEnd(widths[0])}  ${value.padEnd(widths[1])}  `;
    return isDefault ? colors.dim(`${line}${place}`) : `${line}${colors.cyan(place)}`;
  });
  const told = environment.map(
    ({ variable, value, decides }) => `${`${variable}=${value}`.padEnd(widths[0])}  ${decides}`,
  );
  return `${[...lines, ...(told.length > 0 ? ["", colors.bold("environment"), ...told] : [])].join("\n")}\n`;
}

function shown(value: unknown): string {
  if (value === undefined) return "(not known yet)";
  return typeof value === "string" && /^[\w./@-]+$/.test(value) ? value : JSON.stringify(value);
}

function placeOf(source: Provenance): string {
  switch (source.from) {
    case "set":
      return "--set";
    case "file":
    case "run": {
      const { file, line, column } = source;
      const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
      return source.from === "run" ? `from ${place}` : place;
    }
    case "environment":
      return `environment ${source.variable}`;
    case "package.json":
      return source.file;
    case "component":
      return `the vocabulary of ${source.component}`;
    case "default":
      return `default of ${source.of}`;
  }
}
