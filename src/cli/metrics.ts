import { Command } from "commander";
import { collect, importNamed, importOption } from "./options.ts";

interface MetricsFlags {
  readonly predictions: string;
  readonly references?: string;
  readonly set?: readonly string[];
  readonly classes?: string;
  readonly predictionField?: string;
  readonly referenceField?: string;
  readonly import?: readonly string[];
  readonly json?: true;
}

/** `codex-ml metrics`: scores a file of predictions against one of references. */
export function metricsCommand(): Command {
  return new Command("metrics")
    .description("Score predictions in a file against references, line by line, by any metric.")
    .argument("<name...>", "metrics: bleu, f1, rouge, … (codex-ml plugins list --kind metrics)")
    .requiredOption("--predictions <file>", "predictions, one a line: JSON lines (.jsonl) or plain text")
    .option("--references <file>", "what they should have been, line by line")
    .option("--set <metric.option=value>", "set an option of a metric (may be repeated)", collect)
    .option(
      "--classes <names>",
      "names of the classes in order, with commas between (default: those that occur)",
    )
    .option("--prediction-field <name>", "field of the prediction, where lines are objects")
    .option("--reference-field <name>", "field of the reference, where lines are objects")
    .addOption(importOption())
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText(
      "after",
      `
Example:
  codex-ml metrics bleu chrf --predictions output.txt --references reference.txt --set bleu.tokenize=intl

A line of JSON is a text, a label, a list of labels or of token ids, or an object:
  predictions   prediction, text, label, or probabilities by class: {"probabilities": {"spam": 0.9, "ham": 0.1}}
  references    reference, references (several), label, text, or answers
  pass_at_k     {"task_id": "HumanEval/0", "passed": true} an attempt, and no references
`,
    )
    .action(async (metrics: readonly string[], flags: MetricsFlags) => {
      await importNamed(flags.import);
      const { scoreFiles } = await import("../run/score-files.ts");
      const { formatScoresTable, jsonLine } = await import("../tracking/index.ts");
      const { predictions, references, set, classes, predictionField, referenceField } = flags;
      const scores = await scoreFiles({
        metrics,
        predictions,
        ...(references !== undefined && { references }),
        ...(set !== undefined && { set }),
        ...(classes !== undefined && { classes: classes.split(",").map((name) => name.trim()) }),
        fields: {
          ...(predictionField !== undefined && { prediction: predictionField }),
          ...(referenceField !== undefined && { reference: referenceField }),
        },
      });
      if (flags.json) process.stdout.write(`${jsonLine(scores)}\n`);
      else {
        process.stdout.write(formatScoresTable(scores));
        for (const warning of scores.warnings) console.error(`note  ${warning}`);
      }
    });
}
