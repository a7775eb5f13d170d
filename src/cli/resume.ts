import { Command, InvalidArgumentError, Option } from "commander";
import type { ForceName } from "../run/run-changes.ts";
import { type FollowFlags, follow, interruptHelp } from "./follow.ts";
import { collect, importNamed, importOption, quietOption, tensorboardOption } from "./options.ts";

interface ResumeFlags extends FollowFlags {
  readonly import?: readonly string[];
  readonly set?: readonly string[];
  readonly force?: readonly ForceName[];
  readonly fallback?: true;
}

// Said here too, because --help must not load a run's machinery; the compiler holds both lists together.
const names: Record<ForceName, true> = {
  data: true,
  seed: true,
  tokenizer: true,
  optimizer: true,
  lock: true,
};

/** `codex-ml resume`: goes on with a run that was stopped, killed or failed. */
export function resumeCommand(): Command {
  return new Command("resume")
    .description("Go on with a run where its newest checkpoint stands, as if it had never been stopped.")
    .argument("<run-dir>", "a run directory")
    .option(
      "--set <path=value>",
      "change a value of the run from here on; recorded in it (may be repeated)",
      collect,
    )
    .addOption(
      new Option(
        "--force <what>",
        "go on although this is another now, or (lock) although another process may hold the directory, or (optimizer) with the optimizer's state from zero (may be repeated)",
      ).argParser((text, all: readonly ForceName[] = []) => {
        if (!Object.hasOwn(names, text))
          throw new InvalidArgumentError(`Allowed are ${Object.keys(names).join(", ")}.`);
        return [...all, text as ForceName];
      }),
    )
    .option("--fallback", "where the newest checkpoint is damaged, go on from the one before")
    .addOption(importOption())
    .option("--json", "print one JSON event a line on stdout, and nothing else")
    .addOption(quietOption())
    .addOption(tensorboardOption())
    .addHelpText(
      "after",
      `
Examples:
  codex-ml resume runs/moby-dick-20260131-120000
  codex-ml resume runs/moby-dick-20260131-120000 --set trainer.maxSteps=2000

${interruptHelp}
`,
    )
    .action(async (path: string, flags: ResumeFlags) => {
      const { set, force, fallback } = flags;
      await importNamed(flags.import);
      const { resume } = await import("../run/resume.ts");
      await follow(
        (options) =>
          resume(path, {
            ...options,
            ...(set && { set }),
            ...(force && { force }),
            ...(fallback && { fallback }),
            ...(!flags.tensorboard && { tensorboard: false }),
          }),
        flags,
      );
    });
}
