import type { Merge } from "./merge-learning.ts";
import { PriorityQueue } from "./priority-queue.ts";

/** What byte-pair encoding has learned. */
export interface BpeVocabulary {
  /** Token of each id: in the byte alphabet, or as it is for special tokens. */
  readonly spellings: readonly string[];
  /** Id of each byte, shape (256). */
  readonly byteIds: Int32Array;
  /** Merges in the order they were learned; an earlier one goes first. */
  readonly merges: readonly Merge[];
  readonly specialTokens: Readonly<Record<string, number>>;
}

/** A merge that may be done: of the symbol at `position` with the one after it. */
interface PossibleMerge {
  readonly rank: number;
  readonly position: number;
}

const earlier = (a: PossibleMerge, b: PossibleMerge): boolean =>
  a.rank < b.rank || (a.rank === b.rank && a.position < b.position);

/** Up to so many bytes, looking at every pair for the next merge is faster than a queue. */
const SHORT_WORD = 48;

/**
 * Applies merges to one word: always the earliest learned, and of its occurrences the leftmost, until none is left. A
 * linked list and a queue make that O(n log n) in the bytes of the word, so that a word of a megabyte is no trap.
 */
export class BpeMerger {
  readonly #byteIds: Int32Array;
  /** Ids that merges make, by rank. */
  readonly #ids: Int32Array;
  /** A hash table: left and right symbol of each slot, and the rank of their merge (−1: free). */
  readonly #lefts: Int32Array;
  readonly #rights: Int32Array;
  readonly #ranks: Int32Array;

  /** Without `byteIds` for symbols only. */
  constructor({
    merges,
    byteIds = new Int32Array(256),
  }: Partial<BpeVocabulary> & Pick<BpeVocabulary, "merges">) {
    this.#byteIds = byteIds;
    this.#ids = Int32Array.from(merges, ([, , id]) => id);
    const slots = 2 ** Math.ceil(Math.log2(2 * merges.length + 2));
    this.#lefts = new Int32Array(slots);
    this.#rights = new Int32Array(slots);
    this.#ranks = new Int32Array(slots).fill(-1);
    for (const [rank, [left, right]] of merges.entries()) {
      const slot = this.#slot(left, right);
      this.#lefts[slot] = left;
      this.#rights[slot] = right;
      this.#ranks[slot] = rank;
    }
  }

  /** Ids of a word given as UTF-8 bytes. */
  merge(word: Uint8Array): Int32Array {
    return this.mergeSymbols(Int32Array.from(word, (byte) => this.#byteIds[byte] ?? 0));
  }

  /** Ids of a word given as the symbols to begin with, which are changed. */
  mergeSymbols(symbols: Int32Array): Int32Array {
    return symbols.length > SHORT_WORD ? this.#mergeLong(symbols) : this.#mergeShort(symbols);
  }

  #slot(left: number, right: number): number {
    const mask = this.#ranks.length - 1;
    const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (this.#ranks[slot] !== -1 && (this.#lefts[slot] !== left || this.#rights[slot] !== right))
      slot = (slot + 1) & mask;
    return slot;
  }

  /** Rank of the merge of two symbols, or −1. */
  #rank(left: number, right: number): number {
    return this.#ranks[this.#slot(left, right)] as number;
  }

  #mergeShort(symbols: Int32Array): Int32Array {
    let size = symbols.length;
    // Rank of each symbol's merge with the next.
    const ranks = new Int32Array(size);
    for (let i = 0; i + 1 < size; i++) ranks[i] = this.#rank(symbols[i] as number, symbols[i + 1] as number);
    for (;;) {
      let best = -1;
      for (let i = 0; i + 1 < size; i++) {
        const rank = ranks[i] as number;
        if (rank >= 0 && (best < 0 || rank < (ranks[best] as number))) best = i;
      }
      if (best < 0) return symbols.slice(0, size);
      symbols[best] = this.#ids[ranks[best] as number] as number;
      size--;
      for (let i = best + 1; i < size; i++) {
        symbols[i] = symbols[i + 1] as number;
        ranks[i] = ranks[i + 1] as number;
      }
      if (best + 1 < size) ranks[best] = this.#rank(symbols[best] as number, symbols[best + 1] as number);
      if (best > 0) ranks[best - 1] = this.#rank(symbols[best - 1] as number, symbols[best] as number);
    }
  }

  #mergeLong(symbols: Int32Array): Int32Array {
    const size = symbols.length;
    // Neighbours by position; −1 ends the list. A symbol that was merged into the one before it becomes −1.
    const next = Int32Array.from(symbols, (_, i) => (i + 1 < size ? i + 1 : -1));
    const previous = Int32Array.from(symbols, (_, i) => i - 1);
    const queue = new PriorityQueue<PossibleMerge>(earlier);
    const rankAt = (position: number): number => {
      const right = next[position] as number;
      return right < 0 ? -1 : this.#rank(symbols[position] as number, symbols[right] as number);
    };
    const consider = (position: number): void => {
      const rank = rankAt(position);
      if (rank >= 0) queue.push({ rank, position });
    };
    for (let position = 0; position + 1 < size; position++) consider(position);
    for (let best = queue.pop(); best !== undefined; best = queue.pop()) {
      const { position, rank } = best;
      // Stale: one of the two has been merged with another neighbour since.
      if (symbols[position] === -1 || rankAt(position) !== rank) continue;
      const merged = next[position] as number;
      const after = next[merged] as number;
      symbols[position] = this.#ids[rank] as number;
      symbols[merged] = -1;
      next[position] = after;
      if (after >= 0) {
        previous[after] = position;
        consider(position);
      }
      const before = previous[position] as number;
      if (before >= 0) consider(before);
    }
    return symbols.filter((symbol) => symbol !== -1);
  }
}
