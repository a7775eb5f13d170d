import { WordTable } from "./word-table.ts";

/** What of the corpus is not in the counts of a {@link WordCounts}. */
export interface Forgotten {
  /** Occurrences of words that were counted and then forgotten, of all `seen`. */
  readonly occurrences: number;
  readonly seen: number;
  /** A word that is still there may have occurred so many times more than its count says. */
  readonly undercount: number;
}

/** Code units that are kept for each word allowed, on average: long words count for several. */
const UNITS_PER_WORD = 32;

/**
 * Counts the words of a corpus in bounded memory, however many different ones it has.
 *
 * Up to `maxWords` different words the counts are exact. Beyond, the rarer half is forgotten each time the table is full (lossy
 * counting: Manku and Motwani 2002, "Approximate frequency counts over data streams"), so that counts fall short by at most
 * `undercount`. Of equally rare words a part stays that their hashes choose, wherever in the corpus they stand: otherwise
 * a corpus that ends just after a forgetting would have none of its rare words.
 */
export class WordCounts {
  readonly #maxWords: number;
  #words = new WordTable();
  /** How often each word of the table occurs. */
  #counts = new Float64Array(1 << 10);
  #seen = 0;
  #forgotten = 0;
  #undercount = 0;
  /** Characters of forgotten words, which alphabets are made of too; at most all of Unicode. */
  readonly #characters = new Map<number, number>();

  constructor(maxWords: number) {
    this.#maxWords = maxWords;
  }

  /** Different words that are kept. */
  get size(): number {
    return this.#words.size;
  }

  /** What had to be forgotten; undefined when the counts are exact. */
  get forgotten(): Forgotten | undefined {
    if (this.#forgotten === 0) return undefined;
    return { occurrences: this.#forgotten, seen: this.#seen, undercount: this.#undercount };
  }

  /** The same as a sentence for whoever trains. */
  notes(): readonly string[] {
    if (this.#forgotten === 0) return [];
    const percent = ((100 * this.#forgotten) / this.#seen).toPrecision(2);
    return [
      `the tokenizer counted at most ${this.#maxWords} different words at a time: of the ${this.#seen} words of the corpus ` +
        `${percent} % were forgotten, the rarest, and another one may have been counted ${this.#undercount} time(s) too few. ` +
        "`maxWords` is the limit; memory grows with it",
    ];
  }

  /** Counts the word `text[start, end)`. */
  add(text: string, start = 0, end = text.length): void {
    const words = this.#words;
    let word = words.find(text, start, end);
    if (word < 0) {
      const tooLong = words.units + end - start > UNITS_PER_WORD * this.#maxWords;
      if (words.size > 0 && (words.size >= this.#maxWords || tooLong)) {
        this.#forget();
        this.add(text, start, end);
        return;
      }
      word = words.add(text, start, end, word);
      if (word === this.#counts.length) this.#counts = largerCopy(this.#counts);
      this.#counts[word] = 0;
    }
    this.#counts[word] = (this.#counts[word] as number) + 1;
    this.#seen++;
  }

  /** The words that are kept, in the order in which they first occurred, with their counts. */
  *entries(): Generator<readonly [word: string, count: number]> {
    for (let word = 0; word < this.#words.size; word++)
      yield [this.#words.word(word), this.#counts[word] ?? 0];
  }

  /** How often each character (code point) occurs in the corpus, in forgotten words too. */
  characters(): Map<number, number> {
    const characters = new Map(this.#characters);
    for (const [word, count] of this.entries()) addCharacters(word, count, characters);
    return characters;
  }

  /** Keeps the more frequent half, by words and by their code units. */
  #forget(): void {
    const words = this.#words;
    // Words with larger keys stay: by count, and among equals by hash.
    const keys = Float64Array.from(
      { length: words.size },
      (_, word) => Math.min(this.#counts[word] ?? 0, 2 ** 20) * 2 ** 32 + scrambled(words.hash(word)),
    );
    const sorted = keys.slice().sort();
    let most = Math.min(this.#maxWords, words.size) >> 1;
    let left = this.#withKeysAbove(keys, sorted[sorted.length - 1 - most] ?? 0);
    while (most > 0 && left.words.units > (UNITS_PER_WORD * this.#maxWords) / 2) {
      most >>= 1;
      left = this.#withKeysAbove(keys, sorted[sorted.length - 1 - most] ?? 0);
    }
    const least = sorted[sorted.length - 1 - most] ?? 0;
    for (let word = 0; word < words.size; word++) {
      if ((keys[word] ?? 0) > least) continue;
      const count = this.#counts[word] ?? 0;
      this.#forgotten += count;
      addCharacters(words.word(word), count, this.#characters);
    }
    this.#undercount += Math.floor(least / 2 ** 32);
    this.#words = left.words;
    this.#counts = left.counts;
  }

  /** The table without words of small keys; the others keep their order. */
  #withKeysAbove(keys: Float64Array, least: number) {
    const words = new WordTable();
    const counts = new Float64Array(this.#counts.length);
    for (let word = 0; word < keys.length; word++) {
      if ((keys[word] ?? 0) <= least) continue;
      const text = this.#words.word(word);
      counts[words.size] = this.#counts[word] ?? 0;
      words.add(text, 0, text.length, words.find(text, 0, text.length));
    }
    return { words, counts };
  }
}

/** Another order than that of the hash, whose low bits say where in a table a word stands. */
function scrambled(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
}

function addCharacters(word: string, count: number, characters: Map<number, number>): void {
  for (const character of word) {
    const point = character.codePointAt(0) ?? 0;
    characters.set(point, (characters.get(point) ?? 0) + count);
  }
}

function largerCopy(numbers: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
