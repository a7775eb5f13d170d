import { TokenizerError } from "./errors.ts";
import { learnMerges } from "./merge-learning.ts";
import type { WordCounts } from "./word-counts.ts";

export interface WordPieceTrainerOptions {
  /** Ids to end with, those of `specialTokens` included. */
  readonly vocabSize: number;
  /** Occurrences that a pair must have to be merged. */
  readonly minFrequency: number;
  /** The most frequent characters that are kept; of equals those that come first by code point. */
  readonly limitAlphabet: number;
  /** Take the first ids; no piece is allowed to be spelt like one. */
  readonly specialTokens: readonly string[];
}

/** Begins a piece that goes on a word. */
export const CONTINUING = "##";

/** A piece without the sign that it goes on a word. */
export function withoutPrefix(piece: string): string {
  return piece.startsWith(CONTINUING) ? piece.slice(CONTINUING.length) : piece;
}

/**
 * Learns pieces as Hugging Face's `WordPieceTrainer` does: byte-pair merges over characters, of which all but the first of
 * a word are written with `##`. Ids: special tokens, characters by code point, characters that go on a word by code point,
 * then the merged pieces in the order they were learned.
 *
 * The Rust trainer numbers the characters that go on a word in the order of a hash table. Where pairs are equally frequent
 * its choice, unlike this one, may therefore change from one run to the next.
 *
 * @throws TokenizerError `TOKENIZER_VOCABULARY_TOO_SMALL` when the characters alone do not fit.
 */
export function learnWordPieces(wordCounts: WordCounts, options: WordPieceTrainerOptions): readonly string[] {
  const { vocabSize, minFrequency, specialTokens } = options;
  const alphabet = keptCharacters(wordCounts.characters(), options.limitAlphabet);
  const counted = [...wordCounts.entries()];
  // Characters beyond the limit are left out of the words, as in the Rust trainer.
  const split = (word: string): string[] => [...word].filter((character) => alphabet.has(character));
  // Of a forgotten word nobody knows any more where its characters stood.
  const going = new Set<string>(wordCounts.forgotten === undefined ? [] : alphabet);
  for (const [word] of counted) for (const character of split(word).slice(1)) going.add(character);
  const characters = [
    ...byCodePoint(alphabet),
    ...byCodePoint(going).map((character) => CONTINUING + character),
  ];
  const initial = [...specialTokens, ...characters];
  if (initial.length > vocabSize)
    throw new TokenizerError(
      "TOKENIZER_VOCABULARY_TOO_SMALL",
      `the wordpiece tokenizer needs ${initial.length} ids for ${specialTokens.length} special tokens and the corpus's ` +
        `${alphabet.size} characters (at the beginning of words and within), but \`vocabSize\` is ${vocabSize}. ` +
        "Raise it, or lower `limitAlphabet`.",
    );
  const idOf = new Map(initial.map((piece, id) => [piece, id]));
  const words = counted.map(([word]) =>
    split(word).map((character, at) => idOf.get(at === 0 ? character : CONTINUING + character) ?? 0),
  );
  return learnMerges({
    words,
    counts: counted.map(([, count]) => count),
    spellings: initial,
    size: vocabSize,
    minFrequency,
    reserved: new Set(specialTokens),
    join: (left, right) => left + withoutPrefix(right),
  }).spellings;
}

function keptCharacters(counts: ReadonlyMap<number, number>, limit: number): ReadonlySet<string> {
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || a - b);
  return new Set(sorted.slice(0, limit).map(([point]) => String.fromCodePoint(point)));
}

function byCodePoint(characters: Iterable<string>): string[] {
  return [...characters].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
}
