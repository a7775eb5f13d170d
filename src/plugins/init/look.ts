import { readdir, stat } from "node:fs/promises";
import { extname, join, relative, resolve, sep } from "node:path";
import { type KnownFile, uncompressedName } from "../../data-loaders/records/file-bytes.ts";
import { languageOf } from "../../data-loaders/records/languages.ts";
import type { Fields, Row } from "../../data-loaders/records/rows.ts";
import { UsageError } from "../../run/usage-error.ts";

/** What a path holds, as far as its names and its first records tell. */
export interface DataLook {
  /** Relative to where it was asked for, with `/`. */
  readonly path: string;
  /** The data loader that reads it. */
  readonly loader: "text" | "jsonl" | "csv" | "parquet" | "code";
  /** Size of the files on the disk. */
  readonly bytes: number;
  /** Columns of the records; undefined where there are none. */
  readonly columns?: readonly string[];
  /** The columns that look like the text and the class. */
  readonly text?: string;
  readonly label?: string;
}

const loaders: Readonly<Record<string, DataLook["loader"]>> = {
  ".txt": "text",
  ".text": "text",
  ".md": "text",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".csv": "csv",
  ".tsv": "csv",
  ".parquet": "parquet",
};

/** What people call the columns, the likeliest first. */
const textNames = ["text", "content", "body", "document", "sentence", "review", "message", "prompt", "title"];
const labelNames = ["label", "labels", "class", "category", "intent", "sentiment", "target", "topic", "tag"];

/** Files of a folder that are looked at before its kind is settled. */
const LOOKED_AT = 5000;

/**
 * Looks at a file or folder of data: names, and of records the first few.
 *
 * @throws {UsageError} when there is none, or nothing in it can be read.
 */
export async function lookAtData(path: string, cwd: string): Promise<DataLook> {
  const absolute = resolve(cwd, path);
  const found = await stat(absolute).catch(() => undefined);
  if (found === undefined) throw new UsageError(`There is no file or folder ${path}.`);
  const files = found.isDirectory() ? await filesBelow(absolute) : [absolute];
  const loader = found.isDirectory() ? commonLoader(path, files) : loaderOf(path);
  const ours = files.filter((file) =>
    loader === "code" ? languageOf(file) !== undefined : loaderByName(file) === loader,
  );
  const known = await Promise.all(ours.map(knownFile));
  const [first] = known;
  if (first === undefined) throw new UsageError(`${path} holds nothing that can be trained on.`);
  const shown = relative(cwd, absolute).split(sep).join("/");
  const look: DataLook = {
    path: shown === "" ? "." : shown,
    loader,
    bytes: known.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  if (loader === "text" || loader === "code") return look;
  const { columns, example } = await columnsOf(loader, first);
  const text = named(columns, textNames) ?? longest(example);
  const label = named(
    columns.filter((column) => column !== text),
    labelNames,
  );
  return { ...look, columns, ...(text !== undefined && { text }), ...(label !== undefined && { label }) };
}

/** Files and folders here that could be trained on, for a person to choose from. */
export async function dataNearby(cwd: string): Promise<readonly string[]> {
  const entries = await readdir(cwd, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.name.startsWith(".") && !["node_modules", "runs"].includes(entry.name))
    .filter((entry) =>
      entry.isDirectory() ? ["data", "src", "corpus"].includes(entry.name) : isData(entry.name),
    )
    .map(({ name }) => name)
    .sort();
}

/** A README is text, and nothing to learn from. */
function isData(name: string): boolean {
  return loaderByName(name) !== undefined && extname(name) !== ".md";
}

function loaderByName(path: string): DataLook["loader"] | undefined {
  return loaders[extname(uncompressedName(path)).toLowerCase()];
}

function loaderOf(path: string): DataLook["loader"] {
  const loader = loaderByName(path);
  if (loader === "text" && uncompressedName(path) !== path)
    throw new UsageError(`${path} is compressed text; unpack it, or use the data loader \`lines\`.`);
  if (loader !== undefined) return loader;
  if (languageOf(path) !== undefined)
    throw new UsageError(`${path} is a file of source code; give the folder that holds it.`);
  throw new UsageError(
    `Nothing here reads ${path}: expected a folder, or a file that ends in ${Object.keys(loaders).join(", ")}.`,
  );
}

/** What most of a folder's files are. */
function commonLoader(path: string, files: readonly string[]): DataLook["loader"] {
  const counts = new Map<DataLook["loader"], number>();
  for (const file of files) {
    // Markdown among sources is source, too.
    const loader = languageOf(file) !== undefined ? "code" : loaderByName(file);
    if (loader !== undefined) counts.set(loader, (counts.get(loader) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  if (most === undefined)
    throw new UsageError(
      `No file below ${path} can be trained on; expected source code, or files that end in ${Object.keys(loaders).join(", ")}.`,
    );
  return most[0];
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  const folders = [folder];
  for (const at of folders)
    for (const entry of await readdir(at, { withFileTypes: true })) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      if (entry.isDirectory()) folders.push(join(at, entry.name));
      else if (entry.isFile()) files.push(join(at, entry.name));
      if (files.length === LOOKED_AT) return files;
    }
  return files;
}

async function knownFile(path: string): Promise<KnownFile> {
  const { size, mtimeNs } = await stat(path, { bigint: true });
  return { path, name: path, bytes: Number(size), changed: mtimeNs };
}

async function columnsOf(
  loader: "jsonl" | "csv" | "parquet",
  file: KnownFile,
): Promise<{ readonly columns: readonly string[]; readonly example: Fields }> {
  if (loader === "parquet") {
    const { asyncBufferFromFile, parquetMetadataAsync } = await import("hyparquet");
    const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(file.path));
    // The first element is the table; those with children hold lists and objects.
    const columns = schema.slice(1).flatMap(({ name, num_children }) => (num_children ? [] : [name]));
    return { columns, example: {} };
  }
  const rows: AsyncIterable<readonly Row[]> =
    loader === "csv"
      ? (await import("../../data-loaders/csv.ts")).csvRows(file, {})
      : (await import("../../data-loaders/jsonl.ts")).jsonlRows(file);
  for await (const [row] of rows) {
    if (row === undefined) continue;
    if ("fields" in row) return { columns: Object.keys(row.fields), example: row.fields };
    throw new UsageError(`${file.path}:${row.at} ${row.problem}.`);
  }
  throw new UsageError(`${file.path} has no records.`);
}

function named(columns: readonly string[], names: readonly string[]): string | undefined {
  for (const name of names) {
    const column = columns.find((one) => one.toLowerCase() === name);
    if (column !== undefined) return column;
  }
  return undefined;
}

/** The column with the longest text of a record. */
function longest(example: Fields): string | undefined {
  const texts = Object.entries(example).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return texts.sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}
