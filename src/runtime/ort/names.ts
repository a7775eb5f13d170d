import { addressOf } from "./api.ts";
import type { NativeNames } from "./session.ts";

/** Null-terminated UTF-8 texts and the array of their addresses. */
export class EncodedNames implements NativeNames {
  readonly count: number;
  readonly pointers: BigUint64Array;
  readonly #texts: readonly Uint8Array[];

  constructor(names: readonly string[]) {
    this.count = names.length;
    this.#texts = names.map((name) => {
      const text = new TextEncoder().encode(`${name}\0`);
      const fixed = new Uint8Array(new ArrayBuffer(text.length));
      fixed.set(text);
      return fixed;
    });
    this.pointers = BigUint64Array.from(this.#texts, addressOf);
  }
}
