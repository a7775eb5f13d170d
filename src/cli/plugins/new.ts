import { relative } from "node:path";
import { Command } from "commander";
import type { NewPlugin, PluginRequest } from "../../plugins/new/index.ts";
import { colorsFor, isCapable } from "../../tracking/colors.ts";

interface NewFlags {
  readonly package?: string;
  readonly dir?: string;
}

/** `codex-ml plugins new`: a package with a component of one's own. */
export function newCommand(): Command {
  return new Command("new")
    .description(
      "Write a package with a component of your own in TypeScript: it builds, passes its tests, and trains with its run.yaml at once. In a terminal, asks for what is missing.",
    )
    .argument("[kind]", "tokenizer, model, metric, data-loader or trainer")
    .argument("[name]", "what run files will call the component, for example my_metric")
    .option("--package <name>", "the package's name (default: codex-ml- and the component's name)")
    .option("--dir <folder>", "where to write it; must be empty or not exist (default: the package's name)")
    .addHelpText(
      "after",
      "\nExample:\n  codex-ml plugins new metric my_metric\n  codex-ml plugins new trainer my_trainer --package @me/my-trainer --dir packages/trainer\n",
    )
    .action(async (kind: string | undefined, name: string | undefined, flags: NewFlags) => {
      const request = await requested({ kind, name, package: flags.package, directory: flags.dir });
      // Ctrl-C at a question.
      if (request === undefined) {
        process.exitCode = 130;
        return;
      }
      const { createPlugin } = await import("../../plugins/new/index.ts");
      process.stdout.write(report(await createPlugin(request)));
    });
}

interface Given {
  readonly kind: string | undefined;
  readonly name: string | undefined;
  readonly package: string | undefined;
  readonly directory: string | undefined;
}

async function requested(given: Given): Promise<PluginRequest | undefined> {
  const { kind, name, ...rest } = given;
  if (kind !== undefined && name !== undefined) return { kind, name, ...rest };
  if (isCapable(process.stdin) && isCapable(process.stdout)) {
    const { completeRequest } = await import("../../plugins/new/index.ts");
    return completeRequest({ ...(kind !== undefined && { kind }), ...rest });
  }
  const { UsageError } = await import("../../run/usage-error.ts");
  const missing = kind === undefined ? "a kind and a name are" : "a name is";
  throw new UsageError(
    `${missing} missing, and there is no terminal to ask for them. Write, for example, codex-ml plugins new ${kind ?? "metric"} my_component.`,
  );
}

function report({ package: packageName, kind, directory, files }: NewPlugin): string {
  const colors = colorsFor(process.stdout);
  const folder = relative(process.cwd(), directory) || ".";
  const steps = [
    ...(folder === "." ? [] : [`cd ${/^[\w@%+=:,./-]+$/.test(folder) ? folder : `'${folder}'`}`]),
    "npm install",
    "npm test",
    "npx codex-ml plugins doctor",
    "npx codex-ml train run.yaml",
  ];
  return [
    `${colors.green("wrote")}  ${colors.bold(packageName)}, a package with a ${kind.noun}, to ${folder}`,
    "",
    ...files.map((file) => `  ${file}`),
    "",
    colors.bold("next"),
    ...steps.map((step) => `  ${step}`),
    "",
  ].join("\n");
}
