/** Ids collected one after another; grows by doubling. */
export class IdBuffer {
  #ids: Int32Array;
  #length = 0;

  constructor(capacity: number) {
    this.#ids = new Int32Array(Math.max(16, capacity));
  }

  append(ids: Int32Array): void {
    const length = this.#length + ids.length;
    if (length > this.#ids.length) {
      const grown = new Int32Array(2 * length);
      grown.set(this.#ids.subarray(0, this.#length));
      this.#ids = grown;
    }
    // A typed array's `set` costs more than a loop for the few ids of a word.
    if (ids.length > 32) this.#ids.set(ids, this.#length);
    else for (let i = 0; i < ids.length; i++) this.#ids[this.#length + i] = ids[i] ?? 0;
    this.#length = length;
  }

  /** A copy of what was collected. */
  toArray(): Int32Array {
    return this.#ids.slice(0, this.#length);
  }
}
