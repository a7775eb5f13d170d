import { Command } from "commander";
import { importNamed, importOption } from "../options.ts";
import { inputText } from "./input.ts";

interface DecodeFlags {
  readonly import?: readonly string[];
  readonly file?: string;
  readonly json?: true;
}

/** `codex-ml tokenizer decode`: ids to text. */
export function decodeCommand(): Command {
  return new Command("decode")
    .description("Print the text of ids.")
    .argument("<dir>", "a folder with a tokenizer.json, or a run directory")
    .argument("[ids...]", "the ids (default: what is piped in)")
    .option("--file <path>", "read the ids from a file instead")
    .addOption(importOption())
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("after", "\nExample:\n  codex-ml tokenizer decode my-tokenizer 41 301 260\n")
    .action(async (path: string, given: readonly string[], flags: DecodeFlags) => {
      await importNamed(flags.import);
      const { openTokenizerAt } = await import("../../run/restored-tokenizer.ts");
      const { UsageError } = await import("../../run/usage-error.ts");
      const tokenizer = await openTokenizerAt(path);
      const argument = given.length > 0 ? given.join(" ") : undefined;
      const words = (await inputText(argument, flags.file)).split(/[\s,]+/).filter((word) => word !== "");
      const ids = words.map((word) => {
        const id = /^\d+$/.test(word) ? Number(word) : Number.NaN;
        if (id < tokenizer.vocabSize) return id;
        throw new UsageError(
          `${JSON.stringify(word)} is no id of this tokenizer: ids are whole numbers from 0 to ${tokenizer.vocabSize - 1}`,
        );
      });
      const text = tokenizer.decode(ids);
      process.stdout.write(flags.json ? `${JSON.stringify({ type: "decoding", text })}\n` : `${text}\n`);
    });
}
