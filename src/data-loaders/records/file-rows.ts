import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Split } from "../index.ts";
import type { SourceFile } from "../source-files.ts";
import type { DigestCache } from "./digests.ts";
import { type KnownFile, rawBytes } from "./file-bytes.ts";
import type { Row, RowBatch, RowSource } from "./rows.ts";

/** Files of one role: to be dealt (train), or held out as a whole. */
export interface FileGroup {
  readonly role: Split;
  readonly files: readonly SourceFile[];
}

/** Reads the records of a file, some at a time. @throws DataError when it cannot be read at all. */
export type RowReader = (file: KnownFile) => AsyncIterable<readonly Row[]>;

/** Records in files. */
export class FileRows implements RowSource {
  readonly heldOut: readonly Exclude<Split, "train">[];
  readonly #groups: readonly FileGroup[];
  readonly #read: RowReader;
  readonly #digests: DigestCache;
  readonly #notes: () => readonly string[];
  #known: Promise<readonly Known[]> | undefined;

  constructor(
    groups: readonly FileGroup[],
    read: RowReader,
    digests: DigestCache,
    notes: () => readonly string[] = () => [],
  ) {
    this.#groups = groups;
    this.#read = read;
    this.#digests = digests;
    this.#notes = notes;
    this.heldOut = groups.flatMap(({ role }) => (role === "train" ? [] : [role]));
  }

  async *batches(only?: Split): AsyncGenerator<RowBatch> {
    for (const { role, file } of await this.#files()) {
      if (only !== undefined && role !== only) continue;
      const place = (at: number): string => `${file.path}:${at}`;
      const heldOut = role === "train" ? undefined : role;
      for await (const rows of this.#read(file)) yield { place, heldOut, rows };
    }
  }

  /** SHA-256 over role, name, size and digest of each file. */
  async fingerprint(): Promise<string> {
    const hash = createHash("sha256");
    for (const { role, file } of await this.#files()) {
      const digest = await this.#digests.of(file, () => digestOf(file));
      hash.update(`${JSON.stringify([role, file.name, file.bytes, digest])}\n`);
    }
    await this.#digests.save();
    return hash.digest("hex");
  }

  notes(): readonly string[] {
    return this.#notes();
  }

  /** How the files are when they are first asked for; from then on they must stay so. */
  #files(): Promise<readonly Known[]> {
    this.#known ??= know(this.#groups).catch((error: unknown) => {
      this.#known = undefined;
      throw error;
    });
    return this.#known;
  }
}

interface Known {
  readonly role: Split;
  readonly file: KnownFile;
}

async function know(groups: readonly FileGroup[]): Promise<readonly Known[]> {
  const known: Known[] = [];
  for (const { role, files } of groups)
    for (const file of files) {
      const { size, mtimeNs } = await stat(file.path, { bigint: true });
      known.push({ role, file: { ...file, bytes: Number(size), changed: mtimeNs } });
    }
  return known;
}

async function digestOf(file: KnownFile): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of rawBytes(file)) hash.update(chunk);
  return hash.digest("hex");
}
