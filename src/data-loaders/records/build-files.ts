import { type ComponentContext, InvalidOptionError } from "../../registry/index.ts";
import type { DataLoader, Split } from "../index.ts";
import { findSourceFiles, type OptionPath, type SourceFile } from "../source-files.ts";
import { buildRecordLoader, type SourcePlan } from "./build.ts";
import { cacheFolder } from "./cache-folder.ts";
import { DigestCache } from "./digests.ts";
import { type FileGroup, FileRows, type RowReader } from "./file-rows.ts";
import type { FileOptions } from "./options.ts";

type Paths = string | readonly string[];

/** What a loader of files knows that the others do not. */
export interface FileFormat {
  readonly name: string;
  /** What else decides how files are read, as JSON. */
  readonly reading?: unknown;
  /** A reader of files, told which columns matter, and what it left out so far as sentences. */
  reader(columns: readonly string[]): { readonly read: RowReader; notes?(): readonly string[] };
  /** The files that paths mean. Default: `findSourceFiles`. */
  find?(paths: Paths, directory: string, option: OptionPath): Promise<readonly SourceFile[]>;
}

/**
 * A loader of records in files.
 *
 * @throws InvalidOptionError when a path leads nowhere, a file is in two splits, or options do not go together.
 */
export async function buildFileLoader(
  format: FileFormat,
  options: FileOptions,
  { directory }: ComponentContext,
): Promise<DataLoader> {
  const { path, sources, split } = options;
  if ((path === undefined) === (sources === undefined))
    throw new InvalidOptionError(
      ["path"],
      path === undefined
        ? "expected a file, a folder, a glob or a list of these (or `sources`)"
        : "`sources` says where the data is; give one of both",
    );
  const validation = options.validation ?? (split === undefined ? 0.1 : undefined);
  for (const [name, value] of Object.entries({ validation, test: options.test }))
    if (split !== undefined && typeof value === "number")
      throw new InvalidOptionError([name], "`split` deals the records by a column; leave this share out");
  const heldOut: FileGroup[] = [];
  for (const [role, paths] of [
    ["validation", validation],
    ["test", options.test],
  ] as const) {
    if (paths === undefined || typeof paths === "number") continue;
    heldOut.push({ role, files: await find(format, paths, directory, [role]) });
  }
  const cache = cacheFolder(options.cache, directory);
  const listed = sources ?? [{ path: path ?? [], weight: 1 }];
  const plans: SourcePlan[] = [];
  for (const [index, source] of listed.entries()) {
    const where = sources === undefined ? ["path"] : ["sources", index, "path"];
    const train = { role: "train" as const, files: await find(format, source.path, directory, where) };
    // Files of their own are read as the first source's are.
    const groups = index === 0 ? [train, ...heldOut] : [train];
    checkApart([train, ...heldOut]);
    plans.push({
      weight: source.weight,
      columns: source.columns ?? options.columns ?? {},
      template: source.template ?? (source.columns?.text === undefined ? options.template : undefined),
      rows: async (columns) => {
        const { read, notes } = format.reader(columns);
        return new FileRows(groups, read, new DigestCache(cache), notes);
      },
    });
  }
  return buildRecordLoader({
    name: format.name,
    sources: plans,
    options,
    validation: typeof validation === "number" ? validation : undefined,
    test: typeof options.test === "number" ? options.test : undefined,
    cache,
    reading: format.reading ?? null,
  });
}

function find(
  format: FileFormat,
  paths: Paths,
  directory: string,
  option: OptionPath,
): Promise<readonly SourceFile[]> {
  return (format.find ?? findSourceFiles)(paths, directory, option);
}

function checkApart(groups: readonly FileGroup[]): void {
  const roles = new Map<string, Split>();
  for (const { role, files } of groups)
    for (const { path } of files) {
      const other = roles.get(path);
      if (other !== undefined)
        throw new InvalidOptionError(
          [role],
          `${path} is among the files for ${other === "train" ? "training" : other} too; a model must not be judged by what it learned from`,
        );
      roles.set(path, role);
    }
}
