import { Command } from "commander";
import type { CheckedRun } from "../../run/check-run.ts";
import { RunFileError } from "../../run/problems.ts";
import type { ResolvedSlot } from "../../run/resolved.ts";
import { colorsFor } from "../../tracking/colors.ts";
import { exitCodeOf } from "../failure.ts";
import { collect, importNamed, importOption } from "../options.ts";

interface CheckFlags {
  readonly set?: readonly string[];
  readonly import?: readonly string[];
  readonly json?: true;
}

/** `codex-ml config check`: every mistake of a run file at once, before anything is trained. */
export function checkCommand(): Command {
  return new Command("check")
    .description(
      "Say everything that is wrong with a run file, each with its line, what was expected and the closest name. Reads no data.",
    )
    .argument("<run-file>", "YAML, JSON or TypeScript")
    .option("--set <path=value>", "replace a value of the run file (may be repeated)", collect)
    .addOption(importOption())
    .option("--json", "print one JSON object on stdout: `ok`, `problems`")
    .addHelpText(
      "after",
      "\nExample:\n  codex-ml config check examples/moby-dick.yaml --set model.hiddenSize=64\n\nExit codes: 0 it can be trained, 2 it has mistakes.\n",
    )
    .action(async (path: string, { set = [], import: modules, json }: CheckFlags) => {
      await importNamed(modules);
      const { checkRun } = await import("../../run/check-run.ts");
      try {
        const checked = await checkRun(path, { set });
        if (json) process.stdout.write(`${JSON.stringify({ ok: true, problems: [] })}\n`);
        else process.stdout.write(`${colorsFor(process.stdout).green("ok")}  ${path}: ${summary(checked)}\n`);
      } catch (error) {
        if (json !== true || !(error instanceof RunFileError)) throw error;
        // The cause may hold anything, and its message is in the problem's.
        const problems = error.problems.map(({ cause: _, ...problem }) => problem);
        process.stdout.write(`${JSON.stringify({ ok: false, problems })}\n`);
        process.exitCode = exitCodeOf(error);
      }
    });
}

/** `causal_lm trains gpt2 on text (tokens of bpe); metrics: perplexity` */
function summary({ components: { resolved } }: CheckedRun): string {
  const name = (slot: ResolvedSlot) => ("object" in slot ? slot.object : slot.name);
  const { tokenizer, data, model, trainer, metrics } = resolved;
  const computed = metrics.length === 0 ? "none" : metrics.map(name).join(", ");
  return `${name(trainer)} trains ${name(model)} on ${name(data)} with the tokenizer ${name(tokenizer)}; metrics: ${computed}`;
}
