import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CsvError, type Options, parse } from "csv-parse";
import { z } from "zod";
import { DataError } from "./errors.ts";
import { defineDataLoader } from "./index.ts";
import { buildFileLoader } from "./records/build-files.ts";
import { fileBytes, type KnownFile, uncompressedName } from "./records/file-bytes.ts";
import { columnsFileShape } from "./records/options.ts";
import type { Row } from "./records/rows.ts";
import { textChunks } from "./records/text-chunks.ts";

const BATCH = 512;
/** UTF-16 code units. A quote that is never closed would otherwise take the rest of the file into memory. */
const LONGEST_RECORD = 1 << 28;

interface CsvOptions {
  readonly delimiter?: string | undefined;
  /** Names of the columns where the file has no line of them. */
  readonly columnNames?: readonly string[] | undefined;
}

/** CSV as RFC 4180 has it, quotes and line ends inside quotes included. Empty lines are none. */
async function* csvRows(
  file: KnownFile,
  { delimiter, columnNames }: CsvOptions,
): AsyncGenerator<readonly Row[]> {
  let header = columnNames;
  if (header !== undefined) checkNames(file, header);
  let rows: Row[] = [];
  for await (const record of records(file, delimiter ?? delimiterOf(file.name))) {
    if ("problem" in record) rows.push(record);
    else if (header === undefined) {
      header = record.values;
      checkNames(file, header);
    } else rows.push(toRow(record, header));
    if (rows.length < BATCH) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}

interface CsvRecord {
  readonly at: number;
  readonly values: readonly string[];
}

/** Records with the lines that they begin in. */
async function* records(
  file: KnownFile,
  delimiter: string,
): AsyncGenerator<CsvRecord | { readonly at: number; readonly problem: string }> {
  const skipped: { at: number; problem: string }[] = [];
  const options: Options = {
    delimiter,
    info: true,
    relax_column_count: true, // counted against the header here, with a message of our own
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: LONGEST_RECORD,
    on_skip: (error) => {
      if (error) skipped.push({ at: lineOf(error), problem: `is not CSV: ${error.message}` });
    },
  };
  const parser = parse(options);
  // A failure ends the loop too; this keeps the promise from failing unheard.
  const written = pipeline(Readable.from(textChunks(file.path, fileBytes(file))), parser);
  written.catch(() => {});
  let line = 1;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      yield* skipped.splice(0);
      yield { at: line, values: record };
      line = info.lines + 1;
    }
    await written;
  } catch (error) {
    if (error instanceof CsvError)
      throw new DataError(
        "DATA_BAD_FILE",
        `${file.path}:${lineOf(error)} is not CSV: ${error.message}. Nothing behind it can be read; mend it, or look at \`delimiter\`.`,
        { cause: error },
      );
    throw error;
  }
  yield* skipped;
}

function lineOf(error: CsvError): number {
  const { lines } = error as { lines?: unknown };
  return typeof lines === "number" ? lines : 1;
}

function toRow({ at, values }: CsvRecord, header: readonly string[]): Row {
  if (values.length !== header.length)
    return { at, problem: `has ${values.length} value(s), and the file ${header.length} column(s)` };
  return { at, fields: Object.fromEntries(header.map((name, i) => [name, values[i]])) };
}

function checkNames(file: KnownFile, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new DataError(
      "DATA_BAD_FILE",
      `${file.path} has two columns with the name ${JSON.stringify(twice)}. Rename one; if the first line holds no names, give them with \`columnNames\`.`,
    );
}

function delimiterOf(name: string): string {
  return /\.tsv$/i.test(uncompressedName(name)) ? "\t" : ",";
}

export const csv = defineDataLoader({
  description: "CSV and TSV: text, pairs and labels in columns, named by the first line.",
  options: z.strictObject({
    ...columnsFileShape,
    delimiter: z
      .string()
      .min(1)
      .optional()
      .describe('What separates values. Default: a comma, and a tab in files that end in ".tsv".'),
    columnNames: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe("The names of the columns, for files whose first line holds none."),
  }),
  create: ({ delimiter, columnNames, ...options }, context) =>
    buildFileLoader(
      {
        name: "csv",
        reading: [delimiter ?? null, columnNames ?? null],
        reader: () => ({ read: (file) => csvRows(file, { delimiter, columnNames }) }),
      },
      options,
      context,
    ),
});
