import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { colorsFor } from "../../tracking/colors.ts";

interface TypesFlags {
  readonly out?: string;
  readonly check?: true;
}

/** `codex-ml plugins types`: a declaration file, so that options of plugins' components are checked by TypeScript. */
export function typesCommand(): Command {
  return new Command("types")
    .description(
      "Write the types of plugins' components, so that a wrong option does not compile. Imports no component.",
    )
    .option("--out <file>", "the file (default: codex-ml-env.d.ts beside the project's package.json)")
    .option("--check", "write nothing; exit with 1 when the file is out of date")
    .addHelpText("after", "\nExample:\n  codex-ml plugins types --check\n")
    .action(async ({ out, check }: TypesFlags) => {
      const { pluginTypes } = await import("../../plugins/types.ts");
      const { displayPath } = await import("../../run/problems.ts");
      const { file, text, typed, untyped, problems } = pluginTypes(out && resolve(out));
      const name = displayPath(file);
      const before = await readText(file);
      if (before !== text && check) throw new StaleTypesError(name, before === undefined, out);
      if (before !== text) {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
      }
      const colors = colorsFor(process.stdout);
      const told = [
        `${name} ${before === text ? "is up to date" : "written"}: ${typed} typed, ${untyped.length} without types`,
        ...untyped.map(({ component, reason }) => `  ${colors.yellow("!")} ${component}: ${reason}`),
        ...problems.map(({ message }) => `  ${colors.yellow("!")} ${message}`),
        ...(before === undefined ? ['It counts where tsconfig.json\'s "include" or "files" covers it.'] : []),
      ];
      process.stdout.write(`${told.join("\n")}\n`);
    });
}

/** A file's text, with the line ends of Unix (git may check it out with others); `undefined` when there is no file. */
async function readText(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).replaceAll("\r\n", "\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

class StaleTypesError extends Error {
  readonly code = "PLUGIN_TYPES_STALE";
  constructor(name: string, isMissing: boolean, out: string | undefined) {
    const command = `codex-ml plugins types${out === undefined ? "" : ` --out ${out}`}`;
    super(`${name} is ${isMissing ? "missing" : "out of date"}: run \`${command}\``);
    this.name = "StaleTypesError";
  }
}
