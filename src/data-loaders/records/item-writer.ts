import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";

/** Bytes that one checksum is of. */
export const BLOCK_BYTES = 1 << 20;

/** Takes bytes one after another. */
export interface Sink {
  write(bytes: Uint8Array): void;
}

/** Writes a file in blocks, with a CRC-32 of each. */
export class FileSink implements Sink {
  readonly #file: number;
  readonly #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #filled = 0;
  #bytes = 0;
  readonly #checksums: number[] = [];

  /** @throws when the file is there already. */
  constructor(path: string) {
    this.#file = openSync(path, "wx");
  }

  write(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + BLOCK_BYTES - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === BLOCK_BYTES) this.#flush();
    }
  }

  #flush(): void {
    const block = this.#block.subarray(0, this.#filled);
    for (let written = 0; written < block.length; ) written += writeSync(this.#file, block, written);
    this.#checksums.push(crc32(block));
    this.#bytes += block.length;
    this.#filled = 0;
  }

  /** Everything is on the disk then. */
  finish(): { readonly bytes: number; readonly checksums: readonly number[] } {
    if (this.#filled > 0) this.#flush();
    fsyncSync(this.#file);
    return { bytes: this.#bytes, checksums: this.#checksums };
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Keeps bytes in memory. */
export class MemorySink implements Sink {
  readonly #chunks: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    this.#chunks.push(bytes.slice());
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

type Elements = Uint8Array | Uint16Array | Int32Array;

/** Writes items, which are runs of elements of one size, one after another, and where each ends. */
export class ItemWriter {
  readonly #items: Sink;
  readonly #ends: Sink;
  #end = 0;

  constructor(items: Sink, ends: Sink) {
    this.#items = items;
    this.#ends = ends;
  }

  append(item: Elements): void {
    this.#items.write(new Uint8Array(item.buffer, item.byteOffset, item.byteLength));
    this.#end += item.length;
    this.#ends.write(new Uint8Array(Float64Array.of(this.#end).buffer));
  }
}
