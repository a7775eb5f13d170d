import { Command } from "commander";
import { decodeCommand } from "./decode.ts";
import { encodeCommand } from "./encode.ts";
import { statsCommand } from "./stats.ts";
import { trainTokenizerCommand } from "./train.ts";

/** `codex-ml tokenizer`: a tokenizer by itself. */
export function tokenizerCommand(): Command {
  return new Command("tokenizer")
    .description("Train a tokenizer by itself, and look at what it does with text.")
    .addHelpText("after", "\nExample:\n  codex-ml tokenizer train bpe --data corpus/ --out my-tokenizer\n")
    .addCommand(trainTokenizerCommand())
    .addCommand(encodeCommand())
    .addCommand(decodeCommand())
    .addCommand(statsCommand());
}
