import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { z } from "zod";
import type { Split } from "../index.ts";
import type { Findings } from "./corpus.ts";
import { BLOCK_BYTES } from "./item-writer.ts";
import { FileItems, type StoredItems } from "./stored.ts";

/** Raised whenever the layout, or the meaning of what is stored, changes. */
export const CACHE_FORMAT = 1;

const fileSchema = z.object({
  bytes: z.number().int().nonnegative(),
  /** CRC-32 of each megabyte. */
  checksums: z.array(z.number()),
});

const manifestSchema = z.object({
  format: z.literal(CACHE_FORMAT),
  splits: z.array(z.enum(["train", "validation", "test"])),
  files: z.record(z.string(), fileSchema),
  findings: z.object({
    labels: z.array(z.string()),
    skipped: z.object({ count: z.number(), first: z.array(z.string()) }),
    empty: z.number(),
    notes: z.array(z.string()),
  }),
});

export type CacheManifest = z.infer<typeof manifestSchema>;

/** What was stored of the data: a split's items, and what was found on the way. */
export interface StoredCorpus {
  readonly items: ReadonlyMap<Split, StoredItems>;
  readonly findings: Findings;
}

/** An entry of the cache that is not what was written. */
export class DamagedEntry extends Error {}

/** Blocks of a file that are read to see that it is whole: all of the first quarter gigabyte, or as many spread over it. */
const CHECKED_BLOCKS = 256;

/** The entry in this folder, or undefined when there is none. @throws DamagedEntry */
export async function readEntry(folder: string): Promise<StoredCorpus | undefined> {
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) {
    if (await stat(folder).catch(() => undefined)) throw new DamagedEntry("it has no manifest");
    return undefined;
  }
  const manifest = parseManifest(text);
  for (const [name, expected] of Object.entries(manifest.files)) await check(join(folder, name), expected);
  const items = new Map<Split, StoredItems>();
  for (const split of manifest.splits) {
    const bytes = await readFile(join(folder, `${split}.ends`));
    const ends = new Float64Array(new Uint8Array(bytes).buffer);
    items.set(split, new FileItems(join(folder, `${split}.items`), ends));
  }
  return { items, findings: manifest.findings };
}

function parseManifest(text: string): CacheManifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DamagedEntry("its manifest cannot be read", { cause });
  }
}

async function check(path: string, { bytes, checksums }: z.infer<typeof fileSchema>): Promise<void> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) throw new DamagedEntry(`${path} is missing`);
  try {
    const { size } = await file.stat();
    if (size !== bytes) throw new DamagedEntry(`${path} has ${size} bytes, not ${bytes}`);
    const buffer = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, size));
    for (const index of spread(checksums.length)) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, index * BLOCK_BYTES);
      if (crc32(buffer.subarray(0, bytesRead)) !== checksums[index])
        throw new DamagedEntry(
          `${path} is damaged between the bytes ${index * BLOCK_BYTES} and ${index * BLOCK_BYTES + bytesRead}`,
        );
    }
  } finally {
    await file.close();
  }
}

/** All of [0, count), or the first, the last and evenly spaced ones between. */
function spread(count: number): readonly number[] {
  const checked = Math.min(count, CHECKED_BLOCKS);
  return Array.from({ length: checked }, (_, i) =>
    checked < 2 ? i : Math.round((i * (count - 1)) / (checked - 1)),
  );
}
