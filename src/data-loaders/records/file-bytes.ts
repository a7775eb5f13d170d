import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { Decompress } from "fzstd";
import { DataError } from "../errors.ts";
import type { SourceFile } from "../source-files.ts";

const CHUNK_BYTES = 1 << 20;

/** A file as it was when it was first seen. */
export interface KnownFile extends SourceFile {
  readonly bytes: number;
  /** Time of the last change, in nanoseconds. */
  readonly changed: bigint;
}

/** The name without the ending of a compression. */
export function uncompressedName(name: string): string {
  return name.replace(/\.(gz|zst)$/i, "");
}

/**
 * The bytes of a file, decompressed when its name ends in `.gz` or `.zst`, in chunks of about a megabyte that belong to
 * the reader.
 *
 * @throws DataError `DATA_CHANGED` when the file is not as it was, also when it changes while it is read;
 * `DATA_BAD_FILE` when the compression is damaged.
 */
export async function* fileBytes(file: KnownFile): AsyncGenerator<Buffer> {
  const chunks = rawBytes(file);
  if (file.bytes === 0)
    yield* chunks; // programs refuse what has no header, but it holds nothing either
  else if (/\.gz$/i.test(file.path))
    yield* unpacked(file, chunks, zlib.createGunzip({ chunkSize: CHUNK_BYTES }));
  else if (/\.zst$/i.test(file.path)) yield* unzstd(file, chunks);
  else yield* chunks;
}

/** The bytes as they lie on the disk. The next chunk is read while the reader is busy with the last. */
export async function* rawBytes(file: KnownFile): AsyncGenerator<Buffer> {
  const handle = await open(file.path);
  let next: Promise<Buffer> | undefined;
  try {
    await checkUnchanged(file, handle);
    let position = 0;
    const read = async (): Promise<Buffer> => {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, file.bytes - position));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      position += bytesRead;
      return buffer.subarray(0, bytesRead);
    };
    next = read();
    for (;;) {
      const chunk = await next;
      if (chunk.length === 0) break; // the end, or shorter than it was: told below
      next = read();
      next.catch(() => {}); // heard when it is waited for
      yield chunk;
    }
    await checkUnchanged(file, handle);
  } finally {
    await next?.catch(() => {});
    await handle.close();
  }
}

/** @throws DataError `DATA_CHANGED` unless the file is as it was when it was first seen. */
export async function checkUnchanged(file: KnownFile, handle: FileHandle): Promise<void> {
  const { size, mtimeNs } = await handle.stat({ bigint: true });
  const bytes = Number(size);
  if (bytes === file.bytes && mtimeNs === file.changed) return;
  throw new DataError(
    "DATA_CHANGED",
    `${file.path} had ${file.bytes} bytes when it was first read, and ` +
      `${bytes === file.bytes ? "was written again since" : `has ${bytes} now`}. ` +
      "Data must stay as it is during a run; start again.",
  );
}

async function* unpacked(
  file: KnownFile,
  chunks: AsyncIterable<Buffer>,
  decompressor: NodeJS.ReadWriteStream,
): AsyncGenerator<Buffer> {
  let failure: unknown;
  // The stream ends in the loop below, with the same error; this keeps the promise from failing unheard.
  const written = pipeline(Readable.from(chunks), decompressor).catch((error: unknown) => {
    failure = error;
  });
  try {
    yield* decompressor as AsyncIterable<Buffer>;
  } catch (error) {
    await written;
    throw damaged(file, failure ?? error);
  }
  await written;
  if (failure !== undefined) throw damaged(file, failure);
}

/** Node has zstd since 22.15; before that, in JavaScript. */
async function* unzstd(file: KnownFile, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => NodeJS.ReadWriteStream };
  if (createZstdDecompress !== undefined) {
    yield* unpacked(file, chunks, createZstdDecompress());
    return;
  }
  let ready: Buffer[] = [];
  const decompressor = new Decompress((bytes) => {
    if (bytes.length > 0) ready.push(Buffer.from(bytes)); // a copy: the library goes on writing to its own
  });
  const push = (bytes: Uint8Array, last: boolean): readonly Buffer[] => {
    try {
      decompressor.push(bytes, last);
    } catch (error) {
      throw damaged(file, error);
    }
    const now = ready;
    ready = [];
    return now;
  };
  for await (const chunk of chunks) yield* push(chunk, false);
  yield* push(new Uint8Array(0), true);
}

function damaged(file: KnownFile, cause: unknown): unknown {
  if (cause instanceof DataError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DataError(
    "DATA_BAD_FILE",
    `${file.path} cannot be decompressed: ${why}. It is damaged, cut off, or not what its name says.`,
    { cause },
  );
}
