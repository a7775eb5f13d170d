import { Command } from "commander";
import { doctorCommand } from "./doctor.ts";
import { inspectCommand } from "./inspect.ts";
import { listCommand } from "./list.ts";
import { newCommand } from "./new.ts";
import { typesCommand } from "./types.ts";

/** `codex-ml plugins`: what there is, where it comes from, whether it works, and how to begin one of your own. */
export function pluginsCommand(): Command {
  return new Command("plugins")
    .description("Look at the components that this project can use, or begin one of your own.")
    .addHelpText("after", "\nExample:\n  codex-ml plugins list --kind metrics\n")
    .addCommand(listCommand())
    .addCommand(inspectCommand())
    .addCommand(doctorCommand())
    .addCommand(typesCommand())
    .addCommand(newCommand());
}
