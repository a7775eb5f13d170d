import { createHash } from "node:crypto";
import { mkdtemp, open, rename, rm, writeFile } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import type { Split } from "../index.ts";
import {
  CACHE_FORMAT,
  type CacheManifest,
  DamagedEntry,
  readEntry,
  type StoredCorpus,
} from "./cache-entry.ts";
import { prepareCacheFolder, writingPrefix } from "./cache-folder.ts";
import type { Findings } from "./corpus.ts";
import { FileSink, ItemWriter, MemorySink } from "./item-writer.ts";
import { MemoryItems, type StoredItems } from "./stored.ts";

/** What is stored, and how it is made. */
export interface Recipe {
  readonly splits: readonly Split[];
  /** Everything that decides what is stored, as JSON: equal keys, equal bytes. */
  readonly key: unknown;
  /** Reads the data and writes the items of every split. */
  fill(writers: ReadonlyMap<Split, ItemWriter>): Promise<Findings>;
}

/** Stores it in memory, where it ends with the process. */
export async function storeInMemory({ splits, fill }: Recipe): Promise<StoredCorpus> {
  const sinks = splits.map((split) => ({ split, items: new MemorySink(), ends: new MemorySink() }));
  const writers = new Map(sinks.map(({ split, items, ends }) => [split, new ItemWriter(items, ends)]));
  const findings = await fill(writers);
  const items = new Map<Split, StoredItems>();
  for (const sink of sinks) {
    const ends = new Float64Array(new Uint8Array(sink.ends.bytes()).buffer);
    items.set(sink.split, new MemoryItems(sink.items.bytes(), ends));
  }
  return { items, findings };
}

/**
 * What the cache holds under the recipe's key; made now when it holds nothing, or something damaged.
 *
 * An entry is a folder that is written beside, flushed to disk and renamed: it is there whole or not at all, and of two
 * processes that make it at once the first one's stays.
 *
 * @param onRebuild is told when an entry was damaged, and how.
 * @throws DataError `DATA_CACHE` when the folder cannot be used.
 */
export async function storeInFolder(
  folder: string,
  recipe: Recipe,
  onRebuild: (damage: string) => void,
): Promise<StoredCorpus> {
  const name = createHash("sha256")
    .update(JSON.stringify([CACHE_FORMAT, endianness(), recipe.splits, recipe.key]))
    .digest("hex")
    .slice(0, 32);
  const entry = join(folder, name);
  try {
    return (await readEntry(entry)) ?? (await makeEntry(folder, entry, recipe));
  } catch (error) {
    if (!(error instanceof DamagedEntry)) throw unusable(folder, error);
    onRebuild(error.message);
  }
  try {
    await rm(entry, { recursive: true, force: true });
    return await makeEntry(folder, entry, recipe);
  } catch (error) {
    throw unusable(folder, error);
  }
}

async function makeEntry(folder: string, entry: string, recipe: Recipe): Promise<StoredCorpus> {
  await prepareCacheFolder(folder);
  const beside = await mkdtemp(join(folder, writingPrefix));
  try {
    await writeEntry(beside, recipe);
    await rename(beside, entry).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST" && error.code !== "EPERM") throw error;
    });
    await flushFolder(folder);
  } finally {
    await rm(beside, { recursive: true, force: true }); // gone already, unless something failed or another was first
  }
  const made = await readEntry(entry);
  if (made === undefined) throw new DamagedEntry(`${entry} went as soon as it was written`);
  return made;
}

async function writeEntry(beside: string, { splits, fill }: Recipe): Promise<void> {
  const sinks = new Map(
    splits.flatMap((split) =>
      ["items", "ends"].map((part) => [`${split}.${part}`, new FileSink(join(beside, `${split}.${part}`))]),
    ),
  );
  try {
    const sink = (name: string): FileSink => sinks.get(name) as FileSink;
    const writers = new Map(
      splits.map((split) => [split, new ItemWriter(sink(`${split}.items`), sink(`${split}.ends`))]),
    );
    const findings = await fill(writers);
    const files = Object.fromEntries([...sinks].map(([name, one]) => [name, one.finish()]));
    const manifest = { format: CACHE_FORMAT, splits, files, findings } as unknown as CacheManifest;
    await writeFile(join(beside, "manifest.json"), JSON.stringify(manifest), { flush: true });
  } finally {
    for (const one of sinks.values()) one.close();
  }
}

/** So that the new name survives a power loss. Windows cannot open folders, and journals names itself. */
async function flushFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unusable(folder: string, error: unknown): unknown {
  const { code, syscall = "", path } = error as NodeJS.ErrnoException;
  // Reading the data can fail too, on files that lie elsewhere.
  if (error instanceof DataError || !(path?.startsWith(folder) || ["write", "fsync"].includes(syscall)))
    return error;
  const why = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : (error as Error).message;
  return new DataError(
    "DATA_CACHE",
    `the data cache ${folder} cannot be used: ${why}. Name another folder with \`cache\`, or keep the data in memory with \`cache: false\`.`,
    { cause: error },
  );
}
