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
export async function* csvRows(
  file: KnownFile,
  { delimiter, columnNames }: CsvOptions,
): AsyncGenerator<readonly Row[]> {
  let header = columnNames;
  if (header !== undefined) checkNames(file, header);
  let rows: Row[] = [];
  for await (const record of records(file, delimiter ?? delimiterOf(file.name))) {
    if (header === undefined) {
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

/**
 * Records with the lines that they begin in.
 *
 * @throws DataError `DATA_BAD_FILE` for a quote out of place. It is not skipped: where a value ends, and with it every record
 * behind it, is then a guess.
 */
async function* records(file: KnownFile, delimiter: string): AsyncGenerator<CsvRecord> {
  const options: Options = {
    delimiter,
    info: true,
    relax_column_count: true, // counted against the header here, with a message of our own
    skip_empty_lines: true,
    max_record_size: LONGEST_RECORD,
  };
  const parser = parse(options);
  // A failure ends the loop too; this keeps the promise from failing unheard.
  const written = pipeline(Readable.from(textChunks(file.path, fileBytes(file))), parser);
  written.catch(() => {});
  /** Lines that the library counted twice: inside quotes it counts CR and LF of a line end each. */
  let surplus = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      const ends = record.reduce((sum, value) => sum + (value.match(/[\r\n]/g)?.length ?? 0), 0);
      const lines = record.reduce((sum, value) => sum + (value.match(/\n/g)?.length ?? 0), 0);
      yield { at: info.lines - surplus - ends, values: record };
      surplus += ends - lines;
    }
    await written;
  } catch (error) {
    if (error instanceof CsvError)
      throw new DataError(
        "DATA_BAD_FILE",
        `${file.path}:${await lineOf(file, error)} is not CSV: ${error.message.replace(/ at line \d+/, "")}. ` +
          "Where records end behind it cannot be known; mend it, or look at `delimiter`.",
        { cause: error },
      );
    throw error;
  }
}

/** The line of an error, by the bytes before it: the library's own count of lines is too high, as said above. */
async function lineOf(file: KnownFile, error: CsvError): Promise<number> {
  const { bytes = 0 } = error as { bytes?: number };
  let line = 1;
  let offset = 0;
  for await (const chunk of fileBytes(file)) {
    for (let at = chunk.indexOf(0x0a); at >= 0 && offset + at < bytes; at = chunk.indexOf(0x0a, at + 1))
      line++;
    offset += chunk.length;
    if (offset >= bytes) break;
  }
  return line;
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

/**
 * CSV, with quotes and with line ends inside quotes, and TSV, by the ending `.tsv`. The first line names the columns, or
 * `columnNames` does. Values are text, also those that look like numbers. A quote out of place is always an error: where the
 * records behind it end would be a guess. Source: RFC 4180.
 */
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
