import type { BpeVocabulary } from "./bpe-vocabulary.ts";
import { byteOfId, idOfByte, spellBytes } from "./byte-alphabet.ts";
import { learnMerges } from "./merge-learning.ts";
import { detached, forEachWord } from "./pre-tokenizer.ts";

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
 * Memory grows with the distinct words of the corpus, not with its length.
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
    const words: number[][] = [];
    for (const word of this.#wordCounts.keys())
      words.push(Array.from(Buffer.from(word, "utf8"), (byte) => idOfByte[byte] ?? 0));
    const { spellings, merges } = learnMerges({
      words,
      counts: [...this.#wordCounts.values()],
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
