import { z } from "zod";
import { defineDataLoader } from "./index.ts";
import { buildFileLoader } from "./records/build-files.ts";
import { fileBytes, type KnownFile } from "./records/file-bytes.ts";
import { columnsFileShape } from "./records/options.ts";
import type { Fields, Row } from "./records/rows.ts";
import { kindOf } from "./records/template.ts";
import { type Line, textLines } from "./records/text-lines.ts";

/** JSON Lines (https://jsonlines.org): one object a line. Blank lines are none. */
export async function* jsonlRows(file: KnownFile): AsyncGenerator<readonly Row[]> {
  for await (const lines of textLines(file.path, fileBytes(file))) {
    const rows: Row[] = [];
    for (const line of lines) if (!("text" in line) || !isBlank(line.text)) rows.push(toRow(line));
    yield rows;
  }
}

function isBlank(text: string): boolean {
  return text === "" || (text.charCodeAt(0) <= 0x20 && text.trim() === "");
}

function toRow(line: Line): Row {
  if (!("text" in line)) return line;
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch (error) {
    return { at: line.at, problem: `is not JSON: ${(error as Error).message}` };
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return { at: line.at, fields: value as Fields };
  return { at: line.at, problem: `holds ${kindOf(value)}, where an object should be` };
}

/**
 * JSON Lines: one object a line, blank lines left out. `columns` says where text, pair and label are, or `template` makes the
 * text of several; `meta.title` reaches into an object. A record that cannot be used is an error with file and line, or is
 * skipped and counted. Source: https://jsonlines.org.
 */
export const jsonl = defineDataLoader({
  description: "JSON Lines: one object a line, with text, pairs and labels in columns of any name.",
  options: z.strictObject(columnsFileShape),
  create: (options, context) =>
    buildFileLoader({ name: "jsonl", reader: () => ({ read: jsonlRows }) }, options, context),
});
