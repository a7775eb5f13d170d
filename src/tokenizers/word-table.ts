/**
 * Words by number, without a string for each: words are looked up by where they stand in a text, and kept as UTF-16 code units
 * one after another. That is several times faster than a `Map` of substrings, and does not keep texts alive.
 */
export class WordTable {
  #units = new Uint16Array(1 << 12);
  #ends = new Int32Array(1 << 10);
  #hashes = new Int32Array(1 << 10);
  /** Number of the word + 1, or 0. */
  #slots = new Int32Array(1 << 11);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Code units of all words. */
  get units(): number {
    return this.#size === 0 ? 0 : (this.#ends[this.#size - 1] ?? 0);
  }

  /** The number of the word `text[start, end)`; −1 − its hash (as 32 bits without sign) when it is not there. */
  find(text: string, start: number, end: number): number {
    const units = this.#units;
    const ends = this.#ends;
    const hashes = this.#hashes;
    const slots = this.#slots;
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    hash ^= hash >>> 15;
    const mask = slots.length - 1;
    const length = end - start;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const word = (slots[slot] as number) - 1;
      if (word < 0) return -1 - (hash >>> 0);
      if (hashes[word] !== hash) continue;
      const from = word === 0 ? 0 : (ends[word - 1] as number);
      if ((ends[word] as number) - from !== length) continue;
      let same = 0;
      while (same < length && units[from + same] === text.charCodeAt(start + same)) same++;
      if (same === length) return word;
    }
  }

  /** Adds a word that is not there. @param missed What {@link find} gave for it. */
  add(text: string, start: number, end: number, missed: number): number {
    const hash = (-1 - missed) | 0;
    const from = this.units;
    const to = from + end - start;
    if (to > this.#units.length) this.#units = grown(this.#units, new Uint16Array(2 * to));
    for (let at = start; at < end; at++) this.#units[from + at - start] = text.charCodeAt(at);
    const word = this.#size++;
    if (word === this.#ends.length) {
      this.#ends = grown(this.#ends, new Int32Array(2 * word));
      this.#hashes = grown(this.#hashes, new Int32Array(2 * word));
    }
    this.#ends[word] = to;
    this.#hashes[word] = hash;
    if (2 * this.#size > this.#slots.length) this.#rehash();
    else this.#place(word);
    return word;
  }

  /** The hash of a word, 32 bits. */
  hash(index: number): number {
    return this.#hashes[index] ?? 0;
  }

  /** A word as text. */
  word(index: number): string {
    const from = index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
    const bytes = this.#units.subarray(from, this.#ends[index]);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf16le");
  }

  clear(): void {
    this.#size = 0;
    this.#slots.fill(0);
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let word = 0; word < this.#size; word++) this.#place(word);
  }

  #place(word: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hashes[word] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = word + 1;
  }
}

function grown<Numbers extends Uint16Array | Int32Array>(numbers: Numbers, into: Numbers): Numbers {
  into.set(numbers);
  return into;
}
