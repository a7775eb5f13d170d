import { BpeMerger, type BpeVocabulary } from "./bpe-vocabulary.ts";
import type { WordEnd } from "./pre-tokenizer.ts";
import { WordTable } from "./word-table.ts";

/**
 * Words are kept with their ids: text repeats its words, and a look-up costs a tenth of merging anew. Longer words are rare, and
 * are not kept. When one of the limits is reached the cache begins anew: it stays under about 16 MB.
 */
const CACHED_WORD_LENGTH = 64;
const CACHED_WORDS = 1 << 18;
const CACHED_UNITS = 1 << 21;

/** Text to ids, for one vocabulary. */
export class BpeEncoder {
  readonly #wordEnd: WordEnd;
  readonly #merger: BpeMerger;
  readonly #byteIds: Int32Array;
  readonly #words = new WordTable();
  /** The ids of all cached words, and where those of each word end. */
  #cachedIds = new Int32Array(1 << 12);
  #cachedEnds = new Int32Array(1 << 10);

  constructor(vocabulary: BpeVocabulary, wordEnd: WordEnd) {
    this.#merger = new BpeMerger(vocabulary);
    this.#byteIds = vocabulary.byteIds;
    this.#wordEnd = wordEnd;
  }

  encode(text: string): Int32Array {
    const wordEnd = this.#wordEnd;
    const words = this.#words;
    let ids = new Int32Array(Math.max(16, text.length >> 1));
    let size = 0;
    for (let start = 0, end = 0; start < text.length; start = end) {
      end = wordEnd(text, start);
      if (size + 1 > ids.length) ids = grown(ids, size + 1);
      if (end - start === 1 && text.charCodeAt(start) < 128) {
        ids[size++] = this.#byteIds[text.charCodeAt(start)] as number;
        continue;
      }
      if (end - start > CACHED_WORD_LENGTH) {
        const merged = this.#merger.merge(Buffer.from(text.slice(start, end), "utf8"));
        if (size + merged.length > ids.length) ids = grown(ids, size + merged.length);
        ids.set(merged, size);
        size += merged.length;
        continue;
      }
      let word = words.find(text, start, end);
      if (word < 0) word = this.#remember(text, start, end, word);
      const cached = this.#cachedIds;
      const to = this.#cachedEnds[word] as number;
      let from = word === 0 ? 0 : (this.#cachedEnds[word - 1] as number);
      if (size + to - from > ids.length) ids = grown(ids, size + to - from);
      while (from < to) ids[size++] = cached[from++] as number;
    }
    return ids.slice(0, size);
  }

  #remember(text: string, start: number, end: number, missed: number): number {
    const words = this.#words;
    if (words.size >= CACHED_WORDS || words.units >= CACHED_UNITS) words.clear();
    const merged = this.#merger.merge(Buffer.from(text.slice(start, end), "utf8"));
    const word = words.add(text, start, end, missed);
    const from = word === 0 ? 0 : (this.#cachedEnds[word - 1] as number);
    const to = from + merged.length;
    if (to > this.#cachedIds.length) this.#cachedIds = grown(this.#cachedIds, to);
    if (word === this.#cachedEnds.length) this.#cachedEnds = grown(this.#cachedEnds, word + 1);
    this.#cachedIds.set(merged, from);
    this.#cachedEnds[word] = to;
    return word;
  }
}

function grown(numbers: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * least);
  larger.set(numbers);
  return larger;
}
