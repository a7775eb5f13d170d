import { Command } from "commander";
import { inspectCommand } from "./inspect.ts";
import { listCommand } from "./list.ts";
import { typesCommand } from "./types.ts";

/** `codex-ml plugins`: what there is, where it comes from, and whether it works. */
export function pluginsCommand(): Command {
  return new Command("plugins")
    .description("Look at the components that this project can use.")
    .addHelpText("after", "\nExample:\n  codex-ml plugins list --kind metrics\n")
    .addCommand(listCommand())
    .addCommand(inspectCommand())
    .addCommand(typesCommand());
}
