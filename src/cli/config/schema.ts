import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { importNamed, importOption } from "../options.ts";

interface SchemaFlags {
  readonly out?: string;
  readonly import?: readonly string[];
}

/** `codex-ml config schema`: what editors complete and check run files with. */
export function schemaCommand(): Command {
  return new Command("schema")
    .description(
      "Write the JSON Schema of run files, with every component of this project and its options. Imports the components of packages.",
    )
    .option("--out <file>", "write it to a file (default: stdout)")
    .addOption(importOption())
    .addHelpText(
      "after",
      `
Example:
  codex-ml config schema --out run.schema.json

An editor uses it for a file that begins with
  # yaml-language-server: $schema=./run.schema.json
or, in JSON, has "$schema": "./run.schema.json". Write it again when plugins change.
`,
    )
    .action(async ({ out, import: modules }: SchemaFlags) => {
      await importNamed(modules);
      const { runFileSchema } = await import("../../plugins/run-schema.ts");
      const { schema, problems } = await runFileSchema();
      const text = `${JSON.stringify(schema, undefined, 2)}\n`;
      if (out === undefined) process.stdout.write(text);
      else await writeFile(out, text);
      for (const problem of problems) process.stderr.write(`warning  ${problem}\n`);
    });
}
