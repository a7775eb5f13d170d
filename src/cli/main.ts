#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { ownVersion } from "../registry/index.ts";
import { checkpointsCommand } from "./checkpoints/index.ts";
import { configCommand } from "./config/index.ts";
import { dataCommand } from "./data.ts";
import { evaluateCommand } from "./evaluate.ts";
import { exitCodeOf, report, whenOutputCloses } from "./failure.ts";
import { generateCommand } from "./generate.ts";
import { initCommand } from "./init.ts";
import { metricsCommand } from "./metrics.ts";
import { pluginsCommand } from "./plugins/index.ts";
import { resumeCommand } from "./resume.ts";
import { tokenizerCommand } from "./tokenizer/index.ts";
import { trainCommand } from "./train.ts";

const program = new Command("codex-ml")
  .description(
    "Train, evaluate and use language models. Every tokenizer, model, metric, data loader and trainer is a plugin.",
  )
  .version(ownVersion() ?? "unknown")
  .showHelpAfterError("(--help shows what is possible)")
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    "after",
    "\nExample:\n  codex-ml train examples/moby-dick.yaml\n\nExit codes: 0 done, 1 the work failed, 2 asked wrongly, 130 interrupted.\n",
  )
  .addCommand(initCommand())
  .addCommand(trainCommand())
  .addCommand(configCommand())
  .addCommand(resumeCommand())
  .addCommand(checkpointsCommand())
  .addCommand(evaluateCommand())
  .addCommand(generateCommand())
  .addCommand(metricsCommand())
  .addCommand(dataCommand())
  .addCommand(tokenizerCommand())
  .addCommand(pluginsCommand());
// Subcommands made with `new Command` do not inherit these.
for (const command of [...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
  command.exitOverride().showHelpAfterError("(--help shows what is possible)");

whenOutputCloses();
try {
  await program.parseAsync();
} catch (error) {
  // Commander has printed its own: help and version are no errors, anything else was asked wrongly.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    report(error);
    process.exitCode = exitCodeOf(error);
  }
}
