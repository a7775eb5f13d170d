import { Command } from "commander";
import { checkCommand } from "./check.ts";
import { explainCommand } from "./explain.ts";
import { schemaCommand } from "./schema.ts";

/** `codex-ml config`: run files, looked at before they are trained. */
export function configCommand(): Command {
  return new Command("config")
    .description("Check a run file, say where its values come from, or write its JSON Schema.")
    .addHelpText("after", "\nExample:\n  codex-ml config check run.yaml\n")
    .addCommand(checkCommand())
    .addCommand(explainCommand())
    .addCommand(schemaCommand());
}
