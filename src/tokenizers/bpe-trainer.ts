import type { BpeMerge, BpeVocabulary } from "./bpe-vocabulary.ts";
import { byteOfId, idOfByte, spellBytes } from "./byte-alphabet.ts";
import { detached, forEachWord } from "./pre-tokenizer.ts";
import { PriorityQueue } from "./priority-queue.ts";

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

export interface BpeTrainerOptions {
  /** Ids to end with, those of `specialTokens` included. */
  readonly vocabSize: number;
  /** Occurrences that a pair must have to be merged. */
  readonly minFrequency: number;
  /** Take the last ids; no merge is allowed to spell one. */
  readonly specialTokens: readonly string[];
}

/**
 * Learns byte-pair merges (Sennrich, Haddow and Birch 2016, "Neural machine translation of rare words with subword
 * units", algorithm 1) over the bytes of GPT-2 words.
 *
 * Memory grows with the distinct words of the corpus, not with its length. A merge visits only the words that hold the
 * pair: counts are kept up to date, and a queue whose counts may be stale (they only fall) gives the next pair.
 *
 * The merges are those of Hugging Face's `BpeTrainer` with the byte-level initial alphabet, no limit of the token length
 * and the same vocabulary size (tests/golden/bpe.py). Only if two different pairs ever spelt one token might they differ
 * from there on: ours then counts the pairs of that token anew.
 */
export class BpeTrainer {
  readonly #options: BpeTrainerOptions;
  readonly #wordCounts = new Map<string, number>();

  constructor(options: BpeTrainerOptions) {
    this.#options = options;
  }

  /** Counts the words of a piece of the corpus; pieces must be cut where a word ends. */
  add(text: string): void {
    const counts = this.#wordCounts;
    forEachWord(text, (word) => {
      const count = counts.get(word);
      if (count === undefined) counts.set(detached(word), 1);
      else counts.set(word, count + 1);
    });
  }

  /**
   * Merges until the vocabulary is full or no pair is frequent enough. The order in which words were added does not
   * matter: every tie is broken by ids.
   */
  finish(): BpeVocabulary {
    const { vocabSize, minFrequency, specialTokens } = this.#options;
    const spellings = Array.from(byteOfId, (byte) => spellBytes([byte]));
    const idOfSpelling = new Map(spellings.map((spelling, id) => [spelling, id]));
    const reserved = new Set(specialTokens);
    const merges: BpeMerge[] = [];
    const corpus = new PairCounts(this.#wordCounts, vocabSize);
    while (spellings.length < vocabSize - specialTokens.length) {
      const pair = corpus.mostFrequent();
      if (pair === undefined || pair.count < minFrequency) break;
      const spelling = `${spellings[pair.left]}${spellings[pair.right]}`;
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
    const firstSpecial = spellings.length;
    return {
      spellings: [...spellings, ...specialTokens],
      byteIds: Int32Array.from(idOfByte),
      merges,
      specialTokens: Object.fromEntries(specialTokens.map((token, i) => [token, firstSpecial + i])),
    };
  }
}

/** The distinct words as symbols, with the count of every pair of neighbours. */
class PairCounts {
  readonly #words: number[][] = [];
  readonly #counts: number[] = [];
  readonly #pairs = new Map<number, Pair>();
  readonly #queue = new PriorityQueue<Candidate>(before);
  readonly #keyBase: number;

  constructor(wordCounts: ReadonlyMap<string, number>, vocabSize: number) {
    this.#keyBase = vocabSize;
    for (const [word, count] of wordCounts) {
      const symbols = Array.from(Buffer.from(word, "utf8"), (byte) => idOfByte[byte] ?? 0);
      const index = this.#words.push(symbols) - 1;
      this.#counts.push(count);
      for (let i = 0; i + 1 < symbols.length; i++)
        this.#add(symbols[i] as number, symbols[i + 1] as number, count, index);
    }
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
