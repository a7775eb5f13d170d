import { Command, Option } from "commander";
import { colorsFor } from "../../tracking/colors.ts";
import { importNamed, importOption } from "../options.ts";
import { inputText } from "./input.ts";

interface EncodeFlags {
  readonly import?: readonly string[];
  readonly file?: string;
  readonly show?: true;
  readonly maxLength?: string;
  readonly truncationSide?: "left" | "right";
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
    .option("--max-length <n>", "cut the ids to so many, and say what was cut")
    .addOption(new Option("--truncation-side <side>", "which end is cut").choices(["right", "left"]))
    .addOption(importOption())
    .option("--json", "print one JSON object on stdout, and nothing else")
    .addHelpText("after", '\nExample:\n  codex-ml tokenizer encode my-tokenizer --show "Call me Ishmael."\n')
    .action(async (path: string, argument: string | undefined, flags: EncodeFlags) => {
      await importNamed(flags.import);
      const { openTokenizerAt } = await import("../../run/restored-tokenizer.ts");
      const { shownPieces } = await import("../../run/tokenizer-stats.ts");
      const tokenizer = await openTokenizerAt(path);
      const text = await inputText(argument, flags.file);
      const whole = Array.from(tokenizer.encode(text));
      const { ids, cut } = cutTo(whole, await lengthOf(flags), flags.truncationSide);
      const truncated = cut && { tokens: cut.length, text: tokenizer.decode(cut) };
      if (flags.json) {
        const pieces = flags.show ? { pieces: shownPieces(tokenizer, ids) } : {};
        const event = { type: "encoding", ids, ...pieces, ...(truncated && { truncated }) };
        process.stdout.write(`${JSON.stringify(event)}\n`);
        return;
      }
      if (flags.show) process.stdout.write(shown(shownPieces(tokenizer, ids), ids.length));
      else process.stdout.write(`${ids.join(" ")}\n`);
      // Ids are for pipes: what is said of them goes elsewhere.
      if (truncated) process.stderr.write(said(truncated, whole.length));
    });
}

async function lengthOf({ maxLength, truncationSide }: EncodeFlags): Promise<number> {
  const { UsageError } = await import("../../run/usage-error.ts");
  if (maxLength === undefined) {
    if (truncationSide !== undefined)
      throw new UsageError("--truncation-side says how --max-length cuts; give both");
    return Infinity;
  }
  if (!/^[1-9]\d*$/.test(maxLength))
    throw new UsageError(`--max-length must be a positive whole number, got ${JSON.stringify(maxLength)}`);
  return Number(maxLength);
}

/** The ids that fit, and where they were cut the others. */
function cutTo(ids: readonly number[], length: number, side: "right" | "left" = "right") {
  if (!Number.isFinite(length)) return { ids, cut: undefined };
  const at = side === "right" ? Math.min(length, ids.length) : Math.max(0, ids.length - length);
  const [first, last] = [ids.slice(0, at), ids.slice(at)];
  return side === "right" ? { ids: first, cut: last } : { ids: last, cut: first };
}

function said(truncated: { readonly tokens: number; readonly text: string }, of: number): string {
  const colors = colorsFor(process.stderr);
  const { tokens, text } = truncated;
  if (tokens === 0) return `${colors.dim(`nothing cut: ${of} token${of === 1 ? "" : "s"} fit`)}\n`;
  const start = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return `${colors.yellow("cut")} ${tokens} of ${of} tokens: ${JSON.stringify(start)}\n`;
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
