import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { KnownFile } from "./file-bytes.ts";

/** A digest that was written down, and the state of the file that it belongs to. */
type Entry = readonly [bytes: number, changed: string, status: string, inode: string, digest: string];

/** A file that changed within this time before it was read may change again without a later time stamp. */
const SETTLED_NS = 2_000_000_000n;

/**
 * Remembers the SHA-256 of files in `digests.json` of the cache folder, so that a second start does not read terabytes
 * to see that they are the same. A digest is used again only while size, inode and the times of the last write and of
 * the last change of status are what they were; programs can set the first of these times, but not the second.
 */
export class DigestCache {
  readonly #path: string | undefined;
  #entries: Map<string, Entry> | undefined;
  #changed = false;

  /** @param folder of the cache; without one, nothing is remembered. */
  constructor(folder: string | undefined) {
    this.#path = folder && join(folder, "digests.json");
  }

  async of(file: KnownFile, compute: () => Promise<string>): Promise<string> {
    if (this.#path === undefined) return compute();
    this.#entries ??= await readEntries(this.#path);
    const before = await stamp(file.path);
    const known = this.#entries.get(file.path);
    if (known !== undefined && same(known, before)) return known[4];
    const digest = await compute();
    const after = await stamp(file.path);
    const settled = BigInt(Date.now()) * 1_000_000n - BigInt(after[2]) > SETTLED_NS;
    if (settled && same([...after, digest], before)) {
      this.#entries.set(file.path, [...after, digest]);
      this.#changed = true;
    }
    return digest;
  }

  /** Written beside and renamed. Of two processes that save at once the last one stays, which costs time and no more. */
  async save(): Promise<void> {
    if (this.#path === undefined || this.#entries === undefined || !this.#changed) return;
    const beside = `${this.#path}.${randomUUID()}`;
    await mkdir(dirname(this.#path), { recursive: true });
    await writeFile(beside, JSON.stringify(Object.fromEntries(this.#entries)));
    await rename(beside, this.#path);
    this.#changed = false;
  }
}

type Stamp = readonly [bytes: number, changed: string, status: string, inode: string];

async function stamp(path: string): Promise<Stamp> {
  const { size, mtimeNs, ctimeNs, ino } = await stat(path, { bigint: true });
  return [Number(size), String(mtimeNs), String(ctimeNs), String(ino)];
}

function same(known: readonly unknown[], now: Stamp): boolean {
  return now.every((value, at) => value === known[at]);
}

/** What cannot be read is forgotten: it is made again. */
async function readEntries(path: string): Promise<Map<string, Entry>> {
  try {
    const read: unknown = JSON.parse(await readFile(path, "utf8"));
    const entries = Object.entries(read as object).filter(
      (entry): entry is [string, Entry] => Array.isArray(entry[1]) && typeof entry[1][4] === "string",
    );
    return new Map(entries);
  } catch {
    return new Map();
  }
}
