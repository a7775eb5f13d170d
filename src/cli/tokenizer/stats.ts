import { Command } from "commander";
import type { TokenizerStats } from "../../run/tokenizer-stats.ts";
import { importNamed, importOption } from "../options.ts";

interface StatsFlags {
  readonly import?: readonly string[];
  readonly file: readonly string[];
  readonly json?: true;
}

/** `codex-ml tokenizer stats`: how well a tokenizer suits a text. */
export function statsCommand(): Command {
  return new Command("stats")
    .description(
      "Measure a tokenizer on text: tokens a word, bytes a token, and how much of its vocabulary occurs.",
    )
    .argument("<dir>", "a folder with a tokenizer.json, or a run directory")
    .requiredOption("--file <path...>", "files, folders or globs of UTF-8 text")
    .addOption(importOption())
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("after", "\nExample:\n  codex-ml tokenizer stats my-tokenizer --file other-book.txt\n")
    .action(async (path: string, flags: StatsFlags) => {
      await importNamed(flags.import);
      const { openTokenizerAt } = await import("../../run/restored-tokenizer.ts");
      const { statsOfFiles } = await import("../../run/tokenizer-stats.ts");
      const stats = await statsOfFiles(await openTokenizerAt(path), flags.file);
      process.stdout.write(flags.json ? `${JSON.stringify({ type: "stats", ...stats })}\n` : table(stats));
    });
}

function table(stats: TokenizerStats): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const rows: [string, string, string][] = [
    ["tokens", `${stats.tokens}`, `of ${stats.bytes} bytes, ${stats.words} words`],
    ["fertility", stats.fertility.toFixed(3), "tokens a word"],
    ["bytes per token", stats.bytesPerToken.toFixed(3), ""],
    ["coverage", percent(stats.coverage), `${stats.usedIds} of ${stats.vocabSize} ids occur`],
  ];
  if (stats.unknownRate !== undefined) rows.push(["unknown", percent(stats.unknownRate), "of the tokens"]);
  return `${rows.map(([name, value, note]) => `${name.padEnd(16)}${value.padStart(12)}  ${note}`.trimEnd()).join("\n")}\n`;
}
