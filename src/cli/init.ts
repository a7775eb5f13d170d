import { Command } from "commander";
import type { InitRequest, NewRunFile } from "../plugins/init/index.ts";
import { colorsFor, isCapable } from "../tracking/colors.ts";

interface InitFlags extends Omit<InitRequest, "directory"> {
  readonly yes?: true;
}

/** `codex-ml init`: a run file for somebody's own data. */
export function initCommand(): Command {
  return new Command("init")
    .description(
      "Write a run file that fits your data, with comments, and trains at once. In a terminal, asks for what is missing.",
    )
    .argument("[dir]", "folder of the run file (default: the working directory)")
    .option("--data <path>", "a file or a folder: text, JSON Lines, CSV, Parquet or source code")
    .option(
      "--task <task>",
      "causal_lm, sequence_classification or masked_lm (default: what the data looks made for)",
    )
    .option("--text <column>", "the column of the text")
    .option("--label <column>", "the column of the class")
    .option("--format <format>", "yaml, json or ts", "yaml")
    .option("--yes", "ask nothing, take the defaults")
    .option("--force", "replace a run file that is there")
    .addHelpText(
      "after",
      `
Example:
  codex-ml init --data book.txt
  codex-ml init --data tickets.csv --task sequence_classification --yes

It writes run.yaml and, for editors, run.schema.json, which has the options of every component of this project.
`,
    )
    .action(async (directory: string | undefined, { yes, ...flags }: InitFlags) => {
      const { planInit, writeInit } = await import("../plugins/init/index.ts");
      const request: InitRequest = { directory, ...flags };
      const asks = yes !== true && isCapable(process.stdin) && isCapable(process.stdout);
      const plan = asks
        ? await (await import("../plugins/init/prompts.ts")).completeInit(request)
        : await planInit(request);
      // Ctrl-C at a question.
      if (plan === undefined) {
        process.exitCode = 130;
        return;
      }
      const written = await writeInit(plan);
      const { displayPath } = await import("../run/problems.ts");
      process.stdout.write(report(written, displayPath));
      for (const problem of written.problems) process.stderr.write(`warning  ${problem}\n`);
    });
}

function report({ file, schema, look, task }: NewRunFile, displayPath: (path: string) => string): string {
  const colors = colorsFor(process.stdout);
  const name = displayPath(file);
  return [
    `${colors.green("wrote")}  ${colors.bold(name)}: ${task} on ${look.path}, read by ${look.loader}`,
    ...(schema === undefined
      ? []
      : [`${colors.green("wrote")}  ${displayPath(schema)}, which editors check it with`]),
    "",
    colors.bold("next"),
    `  npx codex-ml config check ${name}`,
    `  npx codex-ml data inspect ${name}`,
    `  npx codex-ml train ${name}`,
    "",
  ].join("\n");
}
