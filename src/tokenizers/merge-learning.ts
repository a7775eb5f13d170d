import { PriorityQueue } from "./priority-queue.ts";

/** `left` and `right`, side by side, become `id`. */
export type Merge = readonly [left: number, right: number, id: number];

/** What merges are learned from, and how far. */
export interface MergeLearning {
  /** The distinct words as symbols, which index `spellings`. They are changed. */
  readonly words: number[][];
  /** How often each word occurs. */
  readonly counts: ArrayLike<number>;
  /** Spelling of each symbol to begin with. */
  readonly spellings: readonly string[];
  /** Symbols to end with, at most. */
  readonly size: number;
  /** Occurrences that a pair must have to be merged. */
  readonly minFrequency: number;
  /** What no merge may spell. */
  readonly reserved: ReadonlySet<string>;
  /** Spelling of two symbols side by side. */
  join(left: string, right: string): string;
}

/** Two neighbouring symbols, and where they occur. */
interface Pair {
  readonly left: number;
  readonly right: number;
  /** Occurrences in the corpus, as the words are now. */
  count: number;
  /** Indices of the words that may hold the pair; some no longer do. */
  words: number[];
}

/** A pair with the count it had when it was queued. */
interface Candidate {
  readonly pair: Pair;
  readonly count: number;
}

/** The most frequent pair first, and of equals the one with the lowest ids: Hugging Face's order. */
function before(a: Candidate, b: Candidate): boolean {
  if (a.count !== b.count) return a.count > b.count;
  if (a.pair.left !== b.pair.left) return a.pair.left < b.pair.left;
  return a.pair.right < b.pair.right;
}

/**
 * Learns merges (Sennrich, Haddow and Birch 2016, "Neural machine translation of rare words with subword units",
 * algorithm 1) until there are `size` symbols or no pair is frequent enough. The order of the words does not matter: every
 * tie is broken by ids.
 *
 * A merge visits only the words that hold the pair: counts are kept up to date, and a queue whose counts may be stale
 * (they only fall) gives the next pair.
 */
export function learnMerges(learning: MergeLearning): {
  readonly spellings: readonly string[];
  readonly merges: readonly Merge[];
} {
  const { words, counts, size, minFrequency, reserved, join } = learning;
  const spellings = [...learning.spellings];
  const idOfSpelling = new Map(spellings.map((spelling, id) => [spelling, id]));
  const merges: Merge[] = [];
  const corpus = new PairCounts(words, counts, Math.max(size, spellings.length));
  while (spellings.length < size) {
    const pair = corpus.mostFrequent();
    if (pair === undefined || pair.count < minFrequency) break;
    const spelling = join(spellings[pair.left] ?? "", spellings[pair.right] ?? "");
    if (reserved.has(spelling)) {
      pair.count = 0;
      continue;
    }
    // "a" + "bc" and "ab" + "c" are one token, which has one id.
    let id = idOfSpelling.get(spelling);
    if (id === undefined) {
      id = spellings.length;
      spellings.push(spelling);
      idOfSpelling.set(spelling, id);
    }
    merges.push([pair.left, pair.right, id]);
    corpus.merge(pair, id);
  }
  return { spellings, merges };
}

/** The distinct words as symbols, with the count of every pair of neighbours. */
class PairCounts {
  readonly #words: number[][];
  readonly #counts: ArrayLike<number>;
  readonly #pairs = new Map<number, Pair>();
  readonly #queue = new PriorityQueue<Candidate>(before);
  readonly #keyBase: number;

  constructor(words: number[][], counts: ArrayLike<number>, keyBase: number) {
    this.#words = words;
    this.#counts = counts;
    this.#keyBase = keyBase;
    for (const [index, symbols] of words.entries())
      for (let i = 0; i + 1 < symbols.length; i++)
        this.#add(symbols[i] as number, symbols[i + 1] as number, counts[index] ?? 0, index);
    for (const pair of this.#pairs.values()) this.#queue.push({ pair, count: pair.count });
  }
  /** Takes the most frequent pair from the queue. */
  mostFrequent(): Pair | undefined {
    for (;;) {
      const top = this.#queue.pop();
      if (top === undefined) return undefined;
      if (top.count === top.pair.count) return top.pair;
      if (top.pair.count > 0) this.#queue.push({ pair: top.pair, count: top.pair.count });
    }
  }

  /** Writes `id` in place of every occurrence of `pair`, left to right. */
  merge(pair: Pair, id: number): void {
    const grown = new Set<Pair>();
    for (const index of pair.words) {
      const symbols = this.#words[index] as number[];
      const count = this.#counts[index] as number;
      let write = 0;
      let read = 0;
      while (read < symbols.length) {
        if (symbols[read] !== pair.left || symbols[read + 1] !== pair.right) {
          symbols[write++] = symbols[read++] as number;
          continue;
        }
        if (write > 0) {
          const previous = symbols[write - 1] as number;
          this.#remove(previous, pair.left, count);
          grown.add(this.#add(previous, id, count, index));
        }
        if (read + 2 < symbols.length) {
          const next = symbols[read + 2] as number;
          this.#remove(pair.right, next, count);
          grown.add(this.#add(id, next, count, index));
        }
        symbols[write++] = id;
        read += 2;
      }
      symbols.length = write;
    }
    pair.count = 0;
    pair.words = [];
    for (const neighbour of grown)
      if (neighbour.count > 0) this.#queue.push({ pair: neighbour, count: neighbour.count });
  }

  #add(left: number, right: number, count: number, word: number): Pair {
    const key = left * this.#keyBase + right;
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = { left, right, count: 0, words: [] };
      this.#pairs.set(key, pair);
    }
    pair.count += count;
    if (pair.words.at(-1) !== word) pair.words.push(word);
    return pair;
  }

  #remove(left: number, right: number, count: number): void {
    const pair = this.#pairs.get(left * this.#keyBase + right);
    if (pair !== undefined) pair.count -= count;
  }
}
