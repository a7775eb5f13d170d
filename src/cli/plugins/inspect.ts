import { Command } from "commander";
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
      const { formatInspection } = await import("./inspection.ts");
      const inspection = await inspectComponent(reference);
      const { failure } = inspection;
      const json = { ...inspection, failure: failure?.message };
      process.stdout.write(
        flags.json ? `${JSON.stringify(json, undefined, 2)}\n` : formatInspection(inspection),
      );
      // It was asked whether this works.
      if (failure !== undefined) process.exitCode = 1;
    });
}
