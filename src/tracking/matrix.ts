import type { MetricValue } from "../metrics/index.ts";

/** Rows of numbers by name, each with the same columns: a confusion matrix. */
export type Matrix = Readonly<Record<string, Readonly<Record<string, number>>>>;

export function isMatrix(value: MetricValue): value is Matrix {
  if (typeof value === "number") return false;
  const rows = Object.values(value);
  return (
    rows.length > 0 &&
    rows.every(
      (row) => typeof row !== "number" && Object.values(row).every((cell) => typeof cell === "number"),
    )
  );
}

/** A matrix as lines: what was expected down the side, what was predicted along the top. */
export function matrixLines(name: string, matrix: Matrix): string[] {
  const columns = [...new Set(Object.values(matrix).flatMap((row) => Object.keys(row)))];
  const cells = Object.entries(matrix).map(([row, values]) => [
    row,
    ...columns.map((column) => String(values[column] ?? 0)),
  ]);
  const table = [[name, ...columns], ...cells];
  const widths = table[0]?.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0))) ?? [];
  return table.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  "),
  );
}
