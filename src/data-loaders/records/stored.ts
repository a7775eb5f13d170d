import { closeSync, openSync, readSync } from "node:fs";
import { DataError } from "../errors.ts";
import { Slab } from "./slab.ts";

/** Items of one split: runs of elements one after another, in memory or in a file that is read in place. */
export interface StoredItems {
  /** Where each item ends, counted in elements. In memory: eight bytes an item. */
  readonly ends: Float64Array;
  open(): OpenItems;
}

export interface OpenItems {
  /** Bytes from `position` on, aligned for the elements of the items. Not to be written to. */
  read(position: number, length: number): Uint8Array;
  close(): void;
}

export class MemoryItems implements StoredItems {
  readonly ends: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, ends: Float64Array) {
    this.#bytes = bytes;
    this.ends = ends;
  }

  open(): OpenItems {
    return {
      read: (position, length) => this.#bytes.subarray(position, position + length),
      close: () => {},
    };
  }
}

export class FileItems implements StoredItems {
  readonly ends: Float64Array;
  readonly #path: string;

  constructor(path: string, ends: Float64Array) {
    this.#path = path;
    this.ends = ends;
  }

  /** @throws DataError `DATA_CACHE` when the file is no longer there. */
  open(): OpenItems {
    let file: number;
    try {
      file = openSync(this.#path, "r");
    } catch (cause) {
      throw gone(this.#path, cause);
    }
    const slab = new Slab();
    return {
      // Not asynchronous: a read that the page cache answers takes 2 µs, and a promise for it 20.
      read: (position, length) => {
        const into = slab.bytes(length);
        for (let filled = 0; filled < length; ) {
          const count = readSync(file, into, filled, length - filled, position + filled);
          if (count === 0) throw gone(this.#path);
          filled += count;
        }
        return into;
      },
      close: () => closeSync(file),
    };
  }
}

function gone(path: string, cause?: unknown): DataError {
  return new DataError(
    "DATA_CACHE",
    `${path} of the data cache was removed or cut off while it was in use. Start again, and it is made again.`,
    { cause },
  );
}
