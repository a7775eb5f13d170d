import type { DataInspection } from "../../run/inspect-data.ts";
import type { SeenExample } from "../../run/inspect-split.ts";
import type { Piece } from "../../run/row-pieces.ts";
import { type Colors, colorsFor } from "../../tracking/colors.ts";
import { formatCount, printable } from "../../tracking/format.ts";

/** Tokens of an example that are shown. */
const SHOWN = 256;
const INDENT = "     ";

/** How tokens are set apart. */
interface Style {
  readonly colors: Colors;
  readonly columns: number;
}

/** A piece of a line: its text without colours, and with. */
interface Cell {
  readonly plain: string;
  readonly shown: string;
}

/** Examples token by token, with what the signs mean; nothing when there are none. */
export function formatExamples({ examples, task }: DataInspection): string[] {
  const [first] = examples;
  if (first === undefined) return [];
  const style = { colors: colorsFor(process.stdout), columns: Math.min(process.stdout.columns ?? 100, 110) };
  const { colors } = style;
  const signs = [
    colors.isColorSupported ? "colours change between tokens" : "| between tokens",
    ...(examples.some(({ pieces }) => pieces.some(({ counts }) => counts === false))
      ? [colors.isColorSupported ? "dim: does not count in the loss" : "⟨ ⟩ does not count in the loss"]
      : []),
    ...(task === "masked_lm" ? ["→ what is to be guessed"] : []),
    ...(examples.some(({ pieces }) => pieces.some(({ begins }) => begins !== undefined))
      ? ["‖ the next document, or the second text"]
      : []),
    ...(examples.some(({ pieces }) => pieces.some(({ text }) => text === ""))
      ? ["‥ the rest of one character"]
      : []),
  ];
  const title = `${colors.bold(`${first.split}, as the model sees it`)}  ${colors.dim(signs.join("; "))}`;
  return [title, ...examples.map((example) => formatExample(example, style))];
}

function formatExample(example: SeenExample, style: Style): string {
  const { index, pieces, padding, truncated, dropped, labels } = example;
  const { colors } = style;
  const facts = [
    ...(labels === undefined
      ? []
      : [labels.length === 0 ? "no class" : `class ${labels.map(printable).join(", ")}`]),
    `${formatCount(pieces.length)} ${pieces.length === 1 ? "token" : "tokens"}`,
    ...(padding > 0 ? [`${formatCount(padding)} of padding`] : []),
    ...(truncated ? ["cut"] : []),
    ...(dropped ? ["left out: no label counts"] : []),
  ];
  const rest =
    pieces.length > SHOWN ? [colors.dim(`${INDENT}… ${formatCount(pieces.length - SHOWN)} more`)] : [];
  const lines = wrapped(cells(pieces.slice(0, SHOWN), colors), style.columns - INDENT.length);
  return [
    `${String(index + 1).padStart(3)}  ${colors.dim(facts.join(", "))}`,
    ...lines.map((line) => `${INDENT}${line}`),
    ...rest,
  ].join("\n");
}

function cells(pieces: readonly Piece[], colors: Colors): Cell[] {
  return pieces.map((piece, at) => {
    const { begins, counts, label } = piece;
    const previous = pieces[at - 1];
    const isOut = counts === false;
    const opens = isOut && previous?.counts !== false;
    const closes = isOut && pieces[at + 1]?.counts !== false;
    const text = oneLine(piece.text === "" ? "‥" : piece.text);
    const guess = label === undefined ? "" : `→${oneLine(label)}`;
    const boundary = begins === undefined ? "" : "‖";
    if (!colors.isColorSupported) {
      const separator = at === 0 ? "" : "|";
      const plain = `${separator}${boundary}${opens ? "⟨" : ""}${text}${guess}${closes ? "⟩" : ""}`;
      return { plain, shown: plain };
    }
    const alternate = at % 2 === 0 ? colors.cyan : (part: string) => colors.underline(part);
    const painted = isOut ? colors.dim(alternate(text)) : alternate(text);
    const around = [boundary && colors.yellow(boundary), guess && colors.magenta(guess)];
    return { plain: `${boundary}${text}${guess}`, shown: around.join(painted) };
  });
}

/** Line breaks as signs: a row of tokens is one line. */
function oneLine(text: string): string {
  return printable(text).replaceAll("\n", "↵");
}

/** Breaks between tokens alone. */
function wrapped(all: readonly Cell[], columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  let width = 0;
  for (const { plain, shown } of all) {
    const size = [...plain].length;
    if (width > 0 && width + size > columns) {
      lines.push(line);
      line = "";
      width = 0;
    }
    line += shown;
    width += size;
  }
  return line === "" ? lines : [...lines, line];
}
