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

interface RankedMerge {
  readonly rank: number;
  readonly id: number;
}

/** A merge that may be done: of the symbol at `position` with the one after it. */
interface PossibleMerge extends RankedMerge {
  readonly position: number;
}

const earlier = (a: PossibleMerge, b: PossibleMerge): boolean =>
  a.rank < b.rank || (a.rank === b.rank && a.position < b.position);

/**
 * Applies merges to one word: always the earliest learned, and of its occurrences the leftmost, until none is left. A
 * linked list and a queue make that O(n log n) in the bytes of the word, so that a word of a megabyte is no trap.
 */
export class BpeMerger {
  readonly #byteIds: Int32Array;
  readonly #merges = new Map<number, RankedMerge>();
  readonly #keyBase: number;

  constructor(vocabulary: BpeVocabulary) {
    this.#byteIds = vocabulary.byteIds;
    this.#keyBase = vocabulary.spellings.length;
    for (const [rank, [left, right, id]] of vocabulary.merges.entries())
      this.#merges.set(left * this.#keyBase + right, { rank, id });
  }

  /** Ids of a word given as UTF-8 bytes. */
  merge(word: Uint8Array): Int32Array {
    const size = word.length;
    const symbols = Int32Array.from(word, (byte) => this.#byteIds[byte] ?? 0);
    if (size < 2) return symbols;
    // Neighbours by position; −1 ends the list. A symbol that was merged into the one before it becomes −1.
    const next = Int32Array.from(symbols, (_, i) => (i + 1 < size ? i + 1 : -1));
    const previous = Int32Array.from(symbols, (_, i) => i - 1);
    const queue = new PriorityQueue<PossibleMerge>(earlier);
    const mergeAt = (position: number): RankedMerge | undefined => {
      const right = next[position] ?? -1;
      return right < 0
        ? undefined
        : this.#merges.get((symbols[position] ?? 0) * this.#keyBase + (symbols[right] ?? 0));
    };
    const consider = (position: number): void => {
      const merge = mergeAt(position);
      if (merge !== undefined) queue.push({ rank: merge.rank, id: merge.id, position });
    };
    for (let position = 0; position + 1 < size; position++) consider(position);
    for (let best = queue.pop(); best !== undefined; best = queue.pop()) {
      const { position, id } = best;
      // Stale: one of the two has been merged with another neighbour since.
      if (symbols[position] === -1 || mergeAt(position)?.id !== id) continue;
      const merged = next[position] ?? -1;
      const after = next[merged] ?? -1;
      symbols[position] = id;
      symbols[merged] = -1;
      next[position] = after;
      if (after >= 0) {
        previous[after] = position;
        consider(position);
      }
      const before = previous[position] ?? -1;
      if (before >= 0) consider(before);
    }
    return symbols.filter((symbol) => symbol !== -1);
  }
}
