import { Command } from "commander";
import { type FollowFlags, follow, interruptHelp } from "./follow.ts";
import { collect, importNamed, importOption, quietOption, tensorboardOption } from "./options.ts";

interface TrainFlags extends FollowFlags {
  readonly import?: readonly string[];
  readonly set?: readonly string[];
  readonly out?: string;
}

/** `codex-ml train`: a run file in, a run directory out. */
export function trainCommand(): Command {
  return new Command("train")
    .description("Train what a run file describes, into a new run directory.")
    .argument("<run-file>", "YAML, JSON or TypeScript")
    .option("--set <path=value>", "replace a value of the run file (may be repeated)", collect)
    .addOption(importOption())
    .option("--out <dir>", "the run directory (default: runs/<name>-<time>)")
    .option("--json", "print one JSON event a line on stdout, and nothing else")
    .addOption(quietOption())
    .addOption(tensorboardOption())
    .addHelpText(
      "after",
      `
Example:
  codex-ml train examples/moby-dick.yaml --set trainer.maxSteps=200 --set model.hiddenSize=64

${interruptHelp} \`codex-ml resume\` goes on.
`,
    )
    .action(async (path: string, flags: TrainFlags) => {
      await importNamed(flags.import);
      const { train } = await import("../run/train.ts");
      const { set = [], out, tensorboard } = flags;
      await follow((options) => train(path, { ...options, set, out, tensorboard }), flags);
    });
}
