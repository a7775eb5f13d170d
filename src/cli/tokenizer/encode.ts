import { Command } from "commander";
import { colorsFor } from "../../tracking/colors.ts";
import { importNamed, importOption } from "../options.ts";
import { inputText } from "./input.ts";

interface EncodeFlags {
  readonly import?: readonly string[];
  readonly file?: string;
  readonly show?: true;
  readonly json?: true;
}

/** `codex-ml tokenizer encode`: text to ids, or to pieces that one can see. */
export function encodeCommand(): Command {
  return new Command("encode")
    .description("Print the ids of a text, or with --show its pieces.")
    .argument("<dir>", "a folder with a tokenizer.json, or a run directory")
    .argument("[text]", "the text (default: what is piped in)")
    .option("--file <path>", "encode a file instead")
    .option("--show", "show the pieces, each in another colour than its neighbour")
    .addOption(importOption())
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("after", '\nExample:\n  codex-ml tokenizer encode my-tokenizer --show "Call me Ishmael."\n')
    .action(async (path: string, argument: string | undefined, flags: EncodeFlags) => {
      await importNamed(flags.import);
      const { openTokenizerAt } = await import("../../run/restored-tokenizer.ts");
      const { shownPieces } = await import("../../run/tokenizer-stats.ts");
      const tokenizer = await openTokenizerAt(path);
      const text = await inputText(argument, flags.file);
      const ids = Array.from(tokenizer.encode(text));
      if (flags.json) {
        const pieces = flags.show ? { pieces: shownPieces(tokenizer, ids) } : {};
        process.stdout.write(`${JSON.stringify({ type: "encoding", ids, ...pieces })}\n`);
      } else if (flags.show) process.stdout.write(shown(shownPieces(tokenizer, ids), ids.length));
      else process.stdout.write(`${ids.join(" ")}\n`);
    });
}

function shown(pieces: readonly { readonly text: string }[], count: number): string {
  const colors = colorsFor(process.stdout);
  const paints = [colors.bgBlue, colors.bgMagenta, colors.bgCyan, colors.bgGreen, colors.bgYellow];
  const separator = colors.isColorSupported ? "" : "|";
  const visible = pieces.map(({ text }, at) => {
    const paint = paints[at % paints.length] ?? colors.bgBlue;
    // A line's end ends the colour too, or terminals would paint the rest of the line.
    return text
      .replaceAll("\t", "→")
      .replaceAll(/\r?\n/g, (end) => `${end === "\n" ? "" : "␍"}↵\n`)
      .split("\n")
      .map((line) => (line === "" ? "" : paint(colors.black(line))))
      .join("\n");
  });
  return `${visible.join(separator)}\n${colors.dim(`${count} token${count === 1 ? "" : "s"}`)}\n`;
}
