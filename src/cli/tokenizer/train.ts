import { Command } from "commander";
import { colorsFor } from "../../tracking/colors.ts";
import { collect, importNamed, importOption } from "../options.ts";

interface TrainFlags {
  readonly import?: readonly string[];
  readonly data: readonly string[];
  readonly set?: readonly string[];
  readonly out: string;
  readonly json?: true;
}

/** `codex-ml tokenizer train`: text in, a folder with a tokenizer out. */
export function trainTokenizerCommand(): Command {
  return new Command("train")
    .description(
      "Train a tokenizer on text and write its files to a folder, which run files and Hugging Face load.",
    )
    .argument("<name>", "bpe, wordpiece, unigram, … (`codex-ml plugins list --kind tokenizers`)")
    .requiredOption("--data <path...>", "files, folders or globs of UTF-8 text")
    .requiredOption("--out <dir>", "folder to write to; must be empty or not exist")
    .option("--set <key=value>", "an option of the tokenizer (may be repeated)", collect)
    .addOption(importOption())
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText(
      "after",
      "\nExample:\n  codex-ml tokenizer train bpe --data 'src/**/*.ts' --out my-tokenizer --set vocabSize=8000\n",
    )
    .action(async (name: string, flags: TrainFlags) => {
      await importNamed(flags.import);
      const { trainTokenizer } = await import("../../run/train-tokenizer.ts");
      const { displayPath } = await import("../../run/problems.ts");
      const { data, out, set = [] } = flags;
      const trained = await trainTokenizer({ name, data, out, set });
      if (flags.json) {
        process.stdout.write(`${JSON.stringify({ type: "tokenizer", ...trained })}\n`);
        return;
      }
      const colors = colorsFor(process.stdout);
      const folder = displayPath(trained.directory);
      const megabytes = (trained.bytes / 1e6).toFixed(1);
      const lines = [
        `${colors.green("trained")}  ${name} on ${megabytes} MB in ${trained.seconds.toFixed(1)} s: ${colors.bold(`${trained.vocabSize}`)} ids`,
        `${colors.green("wrote")}    ${folder}: ${trained.files.join(", ")}`,
        ...trained.notes.map((note) => `${colors.yellow("warning")}  ${note}`),
        "",
      ];
      if (trained.files.includes("tokenizer.json"))
        lines.push(
          colors.bold("next"),
          `  codex-ml tokenizer encode ${folder} --show "some text"`,
          `  tokenizer: { name: hf, path: ${folder} }  in a run file`,
          "",
        );
      process.stdout.write(lines.join("\n"));
    });
}
