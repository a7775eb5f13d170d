/** Words kept with their ids: text repeats its words, and a look-up costs a tenth of finding the ids anew. */
const WORDS = 65_536;
/** Longer words are rare, and are not kept: so a cache stays under about 20 MB. */
const LONGEST = 64;

/** The ids of words that were met before. */
export class WordCache {
  readonly #ids = new Map<string, Int32Array>();
  readonly #find: (word: string) => Int32Array;

  /** @param find What gives the ids of a word. */
  constructor(find: (word: string) => Int32Array) {
    this.#find = find;
  }

  get(word: string): Int32Array {
    const known = this.#ids.get(word);
    if (known !== undefined) return known;
    const ids = this.#find(word);
    if (word.length <= LONGEST) {
      if (this.#ids.size >= WORDS) this.#ids.clear();
      this.#ids.set(detached(word), ids);
    }
    return ids;
  }
}

/**
 * A copy of `word` with memory of its own. V8 makes long substrings views that keep the whole text alive; what outlives
 * the text, such as the key of a cache, must not be one.
 */
function detached(word: string): string {
  return Buffer.from(word, "utf16le").toString("utf16le");
}
