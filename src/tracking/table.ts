import type { Colors } from "./colors.ts";

/** Rows under a head, as lines: texts to the left, numbers to the right. A column is one of texts if its head stands in `texts`. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  colors: Colors,
  texts: readonly string[] = head.slice(0, 1),
): string[] {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `  ${cells
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return texts.includes(head[at] ?? "") ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")}`.trimEnd();
  return [colors.dim(line(head)), ...rows.map(line)];
}
