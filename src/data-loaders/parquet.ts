import { type FileHandle, open } from "node:fs/promises";
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { z } from "zod";
import { DataError } from "./errors.ts";
import { defineDataLoader } from "./index.ts";
import { buildFileLoader } from "./records/build-files.ts";
import { checkUnchanged, type KnownFile } from "./records/file-bytes.ts";
import { columnsFileShape } from "./records/options.ts";
import type { Row } from "./records/rows.ts";

/** Parquet, one row group after another; of each only the columns that are asked for. Rows count from 1. */
export async function* parquetRows(
  file: KnownFile,
  wanted: readonly string[],
): AsyncGenerator<readonly Row[]> {
  if (file.bytes === 0) return;
  const handle = await open(file.path);
  try {
    await checkUnchanged(file, handle);
    const buffer = asyncBuffer(file, handle);
    const metadata = await reading(file, () => parquetMetadataAsync(buffer));
    const columns = presentColumns(file, metadata, wanted);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const options = { file: buffer, metadata, columns, rowStart, rowEnd, compressors };
      const objects = await reading(file, () => parquetReadObjects(options));
      await checkUnchanged(file, handle);
      const first = rowStart + 1;
      yield objects.map((fields, index): Row => ({ at: first + index, fields }));
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

function asyncBuffer(file: KnownFile, handle: FileHandle): AsyncBuffer {
  return {
    byteLength: file.bytes,
    slice: async (start, end = file.bytes) => {
      const bytes = new Uint8Array(Math.max(0, end - start));
      for (let filled = 0; filled < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw new Error(`it ends at byte ${start + filled}`);
        filled += bytesRead;
      }
      return bytes.buffer;
    },
  };
}

async function reading<Result>(file: KnownFile, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      "DATA_BAD_FILE",
      `${file.path} cannot be read as Parquet: ${why}. It is damaged, cut off, or no Parquet file.`,
      { cause },
    );
  }
}

/** Columns of the file that hold what is wanted: `meta` for `meta.title`. */
function presentColumns(file: KnownFile, metadata: FileMetaData, wanted: readonly string[]): string[] {
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  const present = wanted.map((name) => {
    const found = names.includes(name) ? name : names.find((one) => name.startsWith(`${one}.`));
    if (found !== undefined) return found;
    const shown = names.map((one) => JSON.stringify(one)).join(", ");
    throw new DataError("DATA_BAD_FILE", `${file.path} has no column "${name}"; it has ${shown}.`);
  });
  return [...new Set(present)];
}

/**
 * Parquet, one row group after another, and of each only the columns that are asked for; `meta.title` reads `meta`. Messages
 * count rows from 1. Source: the format of Apache Parquet, https://parquet.apache.org.
 */
export const parquet = defineDataLoader({
  description: "Parquet: text, pairs and labels in columns of any name; only those are read.",
  options: z.strictObject(columnsFileShape),
  create: (options, context) =>
    buildFileLoader(
      { name: "parquet", reader: (columns) => ({ read: (file) => parquetRows(file, columns) }) },
      options,
      context,
    ),
});
