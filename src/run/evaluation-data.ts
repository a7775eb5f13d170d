import { extname } from "node:path";
import type { DataLoader } from "../data-loaders/index.ts";
import { isGiven, type NamedComponent, type Slot } from "./config.ts";
import { displayPath } from "./problems.ts";
import { UsageError } from "./usage-error.ts";

type Options = Readonly<Record<string, unknown>>;

/** Which loader reads files that end so. */
const readers: Readonly<Record<string, string>> = {
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".csv": "csv",
  ".tsv": "csv",
  ".parquet": "parquet",
};

/**
 * How a classifier's run reads its data, for all records of another file: with whatever deals them to splits left out. A loader
 * that reads no files (`memory`, one that a program gave) has another take its place, by the ending of the file's name, with
 * the same columns.
 *
 * @throws {UsageError} when nobody knows how such a file is read.
 */
export function recordsIn(path: string, slot: Slot<DataLoader>): NamedComponent {
  const options: Options = isGiven(slot) ? {} : slot.options;
  if (!isGiven(slot) && (options.path !== undefined || options.sources !== undefined))
    return { name: slot.name, options: optionsForFile(options, path) };
  const name = readers[extname(path.replace(/\.(gz|zst)$/i, "")).toLowerCase()];
  if (name === undefined)
    throw new UsageError(
      `The run's own data loader, "${slot.name}", reads no files, and how ${displayPath(path)} is to be read its name does not say: give a file of records that ends in ${Object.keys(readers).join(", ")}, also with .gz or .zst.`,
    );
  const kept = ["columns", "template", "labels", "onError"].filter((key) => options[key] !== undefined);
  return {
    name,
    options: { ...Object.fromEntries(kept.map((key) => [key, options[key]])), path, validation: 0 },
  };
}

/** Of several sources, the first says how held-out files are read, too. */
function optionsForFile(
  { split: _column, splitKey: _key, test: _held, sources, ...options }: Options,
  path: string,
): Options {
  const [{ path: _path, weight: _weight, ...first } = {}] = Array.isArray(sources)
    ? (sources as readonly Options[])
    : [];
  return { ...options, ...first, path, validation: 0 };
}
