/** Pieces of the pages that are generated. */

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`.replaceAll(/ {2,}(?=\|)/g, " ");
  return [line(heads), `|${heads.map(() => "---|").join("")}`, ...rows.map(line), ""].join("\n");
}

/** A code span, fenced by more backticks than the text has in a row. */
export function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `\`${text}\`` : `${fence} ${text} ${fence}`;
}

/** A block of code, fenced likewise. */
export function codeBlock(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/^`+/gm)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n?$/, "\n")}${fence}\n`;
}

/** Text of one line that Markdown shows as it is; code spans in it stay such. */
export function prose(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .trim()
    .split(/(`[^`]*`)/)
    .map((piece, index) => (index % 2 === 1 ? piece : piece.replaceAll(/[\\<*_[\]]/g, "\\$&")))
    .join("");
}

export function link(text: string, target: string): string {
  return `[${text}](${target})`;
}
