import type { BpeVocabulary } from "./bpe-vocabulary.ts";
import { byteOfId, idOfByte, spellBytes } from "./byte-alphabet.ts";
import { learnMerges } from "./merge-learning.ts";
import type { WordEnd } from "./pre-tokenizer.ts";
import { WordCounts } from "./word-counts.ts";

export interface BpeTrainerOptions {
  /** Ids to end with, those of `specialTokens` included. */
  readonly vocabSize: number;
  /** Occurrences that a pair must have to be merged. */
  readonly minFrequency: number;
  /** Take the last ids; no merge is allowed to spell one. */
  readonly specialTokens: readonly string[];
  /** Different words that are counted at a time. */
  readonly maxWords: number;
}

/**
 * Learns byte-pair merges (Sennrich, Haddow and Birch 2016, "Neural machine translation of rare words with subword
 * units", algorithm 1) over the bytes of words.
 *
 * Memory grows with the distinct words of the corpus up to `maxWords`, and not with its length.
 *
 * The merges are those of Hugging Face's `BpeTrainer` with the byte-level initial alphabet, no limit of the token length
 * and the same vocabulary size (tests/golden/bpe.py). Only if two different pairs ever spelt one token might they differ
 * from there on: ours then counts the pairs of that token anew.
 */
export class BpeTrainer {
  readonly #options: BpeTrainerOptions;
  readonly #wordEnd: WordEnd;
  readonly #words: WordCounts;

  constructor(options: BpeTrainerOptions, wordEnd: WordEnd) {
    this.#options = options;
    this.#wordEnd = wordEnd;
    this.#words = new WordCounts(options.maxWords);
  }

  /** What had to be forgotten, in sentences. */
  notes(): readonly string[] {
    return this.#words.notes();
  }

  /** Counts the words of a piece of the corpus; pieces must be cut where a word ends. */
  add(text: string): void {
    const wordEnd = this.#wordEnd;
    const words = this.#words;
    for (let start = 0, end = 0; start < text.length; start = end) {
      end = wordEnd(text, start);
      words.add(text, start, end);
    }
  }

  /**
   * Merges until the vocabulary is full or no pair is frequent enough. The order in which words were added does not
   * matter while all of them are kept: every tie is broken by ids.
   */
  finish(): BpeVocabulary {
    const { vocabSize, minFrequency, specialTokens } = this.#options;
    const words: number[][] = [];
    const counts: number[] = [];
    for (const [word, count] of this.#words.entries()) {
      words.push(Array.from(Buffer.from(word, "utf8"), (byte) => idOfByte[byte] ?? 0));
      counts.push(count);
    }
    const { spellings, merges } = learnMerges({
      words,
      counts,
      spellings: Array.from(byteOfId, (byte) => spellBytes([byte])),
      size: vocabSize - specialTokens.length,
      minFrequency,
      reserved: new Set(specialTokens),
      join: (left, right) => left + right,
    });
    const firstSpecial = spellings.length;
    return {
      spellings: [...spellings, ...specialTokens],
      byteIds: Int32Array.from(idOfByte),
      merges,
      specialTokens: Object.fromEntries(specialTokens.map((token, i) => [token, firstSpecial + i])),
    };
  }
}
