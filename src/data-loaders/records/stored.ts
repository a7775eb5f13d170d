import { closeSync, openSync, readSync } from "node:fs";
import { DataError } from "../errors.ts";

/** Items of one split: runs of elements one after another, in memory or in a file that is read in place. */
export interface StoredItems {
  /** Where each item ends, counted in elements. In memory: eight bytes an item. */
  readonly ends: Float64Array;
  open(): OpenItems;
}

export interface OpenItems {
  /** Fills `into` with the bytes from `position` on. */
  read(into: Uint8Array, position: number): void;
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
      read: (into, position) => into.set(this.#bytes.subarray(position, position + into.length)),
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
    return {
      // Not asynchronous: a read that the page cache answers takes 2 µs, and a promise for it 20.
      read: (into, position) => {
        for (let filled = 0; filled < into.length; ) {
          const count = readSync(file, into, filled, into.length - filled, position + filled);
          if (count === 0) throw gone(this.#path);
          filled += count;
        }
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
