import { Command, Option } from "commander";
import { type FollowFlags, follow, interruptHelp } from "./follow.ts";
import {
  collect,
  importNamed,
  importOption,
  numberOption,
  quietOption,
  tensorboardOption,
} from "./options.ts";

interface TrainFlags extends FollowFlags {
  readonly import?: readonly string[];
  readonly set?: readonly string[];
  readonly out?: string;
  readonly limit?: number;
  readonly overfitBatch?: number;
  readonly profile?: true;
  readonly profileLayers?: true;
  readonly dryRun?: true;
}

/** `codex-ml train`: a run file in, a run directory out. */
export function trainCommand(): Command {
  return new Command("train")
    .description("Train what a run file describes, into a new run directory.")
    .argument("<run-file>", "YAML, JSON or TypeScript")
    .option("--set <path=value>", "replace a value of the run file (may be repeated)", collect)
    .addOption(importOption())
    .option("--out <dir>", "the run directory (default: runs/<name>-<time>)")
    .option(
      "--overfit-batch <N>",
      "a trial: train on the first N batches again and again; exits with 1 unless they are learned by heart",
      numberOption("--overfit-batch", { min: 1, integer: true }),
    )
    .option(
      "--limit <N>",
      "a trial: read only the first N examples of each split",
      numberOption("--limit", { min: 1, integer: true }),
    )
    .option("--profile", "at the end, tell where the time went, and write profile.json to the run directory")
    .option("--profile-layers", "the same with each layer of the model by itself")
    .addOption(
      new Option(
        "--dry-run",
        "build everything and run one batch, without an update and without a run directory: tells what a run would cost",
      ).conflicts(["profile", "profileLayers"]),
    )
    .option("--json", "print one JSON event a line on stdout, and nothing else")
    .addOption(quietOption())
    .addOption(tensorboardOption())
    .addHelpText(
      "after",
      `
Example:
  codex-ml train examples/moby-dick.yaml --set trainer.maxSteps=200 --set model.hiddenSize=64
  codex-ml train examples/moby-dick.yaml --overfit-batch 1 --set trainer.maxSteps=200

${interruptHelp} \`codex-ml resume\` goes on.
`,
    )
    .action(async (path: string, flags: TrainFlags) => {
      const { set = [], out, limit, overfitBatch, tensorboard } = flags;
      await importNamed(flags.import);
      if (flags.dryRun) return showDryRun(path, flags);
      const profiled = { profile: flags.profileLayers ? ("layers" as const) : flags.profile === true };
      const { train } = await import("../run/train.ts");
      await follow(
        (options) => train(path, { ...options, set, out, limit, overfitBatch, tensorboard, ...profiled }),
        flags,
      );
    });
}

async function showDryRun(path: string, flags: TrainFlags): Promise<void> {
  const { set = [], out, json, limit, overfitBatch } = flags;
  const { dryRun } = await import("../run/dry-run.ts");
  const { colorsFor, jsonLine } = await import("../tracking/index.ts");
  const { formatDryRun } = await import("./dry-run.ts");
  const found = await dryRun(path, { set, out, limit, overfitBatch });
  process.stdout.write(`${json ? jsonLine(found) : formatDryRun(found, colorsFor(process.stdout))}\n`);
}
