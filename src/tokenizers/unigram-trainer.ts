import { TokenizerError } from "./errors.ts";
import { codePoints, PieceTrie } from "./piece-trie.ts";
import { addExpectedCounts, bestCut } from "./unigram-lattice.ts";
import { type CountedWord, seedPieces } from "./unigram-seeds.ts";
import type { WordCounts } from "./word-counts.ts";

export interface UnigramTrainerOptions {
  /** Pieces to end with, single characters included. */
  readonly size: number;
  /** The most frequent characters that are kept; of equals those that come first by code point. */
  readonly limitAlphabet: number;
  /** Characters of the longest piece. */
  readonly maxPieceLength: number;
  /** Occurrences that a longer piece must have. */
  readonly minFrequency: number;
  /** Characters that are kept in any case. */
  readonly alphabet: readonly string[];
}

/**
 * A score with so many digits that every reader of JSON gets the same number. Of more than about 15, Hugging Face's Rust library may
 * get the nearest but one, and of two cuts that are worth the same it would then take the other one.
 */
export function readableScore(score: number): number {
  return Number(score.toPrecision(12));
}

/** A piece and the logarithm of its probability. */
export type ScoredPiece = readonly [piece: string, score: number];

interface Piece {
  readonly points: readonly number[];
  readonly score: number;
}

/** As in SentencePiece: begins with many more pieces than it keeps, and drops a quarter of them at a time. */
const SEEDS = 1_000_000;
const SHRINKING = 0.75;
const EM_ROUNDS = 2;
/** Pieces expected less often than this do not come through the M step. */
const LEAST_EXPECTED = 0.5;

/**
 * Learns pieces with their probabilities (Kudo 2018, "Subword regularization", section 3.2): from a large set of substrings,
 * expectation maximisation alternates with dropping the pieces whose loss costs the likelihood of the corpus least. Single
 * characters always stay, so that every text of the alphabet can be spelt.
 *
 * The order of words does not matter: they are sorted first.
 *
 * @returns Pieces by falling probability.
 * @throws TokenizerError `TOKENIZER_VOCABULARY_TOO_SMALL` when the characters alone do not fit.
 */
export function learnUnigrams(wordCounts: WordCounts, options: UnigramTrainerOptions): ScoredPiece[] {
  const { size, maxPieceLength } = options;
  const sorted = [...wordCounts.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  const counted = sorted.map(([word, count]): CountedWord => ({ points: codePoints(word), count }));
  const characters = keptCharacters(wordCounts.characters(), options);
  if (characters.size > size)
    throw new TokenizerError(
      "TOKENIZER_VOCABULARY_TOO_SMALL",
      `the unigram tokenizer needs ${characters.size} ids for the corpus's characters, but \`vocabSize\` leaves ` +
        `${Math.max(0, size)}. Raise it, or lower \`limitAlphabet\`.`,
    );
  const words = counted.flatMap((word) => stretches(word, characters));
  const seeds = seedPieces(words, maxPieceLength, options.minFrequency, SEEDS);
  const singles = [...characters].map(([point, count]) => ({ points: [point], count }));
  const all = [...singles, ...seeds];
  const total = all.reduce((sum, { points, count }) => sum + points.length * count, 0);
  let pieces: Piece[] = all.map(({ points, count }) => ({
    points,
    score: Math.log(points.length * count) - Math.log(total),
  }));
  const desired = Math.max(size, Math.floor(size * 1.1));
  for (;;) {
    for (let round = 0; round < EM_ROUNDS; round++) pieces = reestimated(pieces, words);
    if (pieces.length <= desired) break;
    pieces = pruned(pieces, words, desired);
  }
  return finished(pieces, characters, size);
}

function keptCharacters(
  counts: ReadonlyMap<number, number>,
  { limitAlphabet: limit, alphabet }: UnigramTrainerOptions,
): ReadonlyMap<number, number> {
  const kept = [...counts].sort(([a, n], [b, m]) => m - n || a - b).slice(0, limit);
  const always = alphabet
    .map((character) => character.codePointAt(0) ?? 0)
    .map((point) => [point, counts.get(point) ?? 1] as const);
  return new Map([...new Map([...kept, ...always])].sort(([a], [b]) => a - b));
}

/** What lies between characters that are not kept. */
function stretches({ points, count }: CountedWord, kept: ReadonlyMap<number, number>): CountedWord[] {
  if (points.every((point) => kept.has(point))) return [{ points, count }];
  const found: number[][] = [[]];
  for (const point of points)
    if (kept.has(point)) found.at(-1)?.push(point);
    else found.push([]);
  return found.filter(({ length }) => length > 0).map((some) => ({ points: some, count }));
}

const trieOf = (pieces: readonly Piece[]) =>
  new PieceTrie(pieces.map(({ points }, id) => [points, id] as const));

/** One round of expectation maximisation; with a Dirichlet prior that lets rare pieces go (digamma), as in SentencePiece. */
function reestimated(pieces: readonly Piece[], words: readonly CountedWord[]): Piece[] {
  const trie = trieOf(pieces);
  const scores = Float64Array.from(pieces, ({ score }) => score);
  const expected = new Float64Array(pieces.length);
  for (const { points, count } of words) addExpectedCounts(points, count, trie, scores, expected);
  const kept = pieces
    .map((_, id) => id)
    .filter((id) => {
      const isSingle = pieces[id]?.points.length === 1;
      return isSingle || (expected[id] ?? 0) >= LEAST_EXPECTED;
    });
  const countOf = (id: number) => Math.max(expected[id] ?? 0, LEAST_EXPECTED);
  const logTotal = digamma(kept.reduce((sum, id) => sum + countOf(id), 0));
  return kept.map((id) => ({
    points: pieces[id]?.points ?? [],
    score: digamma(countOf(id)) - logTotal,
  }));
}

/** Without the pieces whose words are spelt almost as well by others: at most a quarter fewer, at least `desired`. */
function pruned(pieces: readonly Piece[], words: readonly CountedWord[], desired: number): Piece[] {
  const trie = trieOf(pieces);
  const scores = Float64Array.from(pieces, ({ score }) => score);
  const used = new Float64Array(pieces.length);
  let sum = 0;
  for (const { points, count } of words)
    for (const id of bestCut(points, trie, scores, -Infinity).ids) {
      if (id >= 0) used[id] = (used[id] ?? 0) + count;
      sum += count;
    }
  const logSum = Math.log(sum);
  const kept: Piece[] = [];
  const losses: { readonly loss: number; readonly piece: Piece }[] = [];
  for (const [id, piece] of pieces.entries()) {
    const count = used[id] ?? 0;
    if (piece.points.length === 1) kept.push(piece);
    else if (count > 0) {
      const { ids } = bestCut(piece.points, trie, scores, -Infinity, id);
      // How the likelihood changes when the others take over its occurrences.
      const logSumAfter = Math.log(sum + count * (ids.length - 1));
      const own = Math.log(count) - logSum;
      let others = 0;
      for (const other of ids) others += Math.log((used[other] ?? 0) + count) - logSumAfter;
      losses.push({ loss: count * (own - others), piece });
    }
  }
  const target = Math.max(desired, Math.floor(SHRINKING * pieces.length));
  // Sorting is stable: equal losses stay in the order of the pieces.
  losses.sort((a, b) => b.loss - a.loss);
  for (const { piece } of losses.slice(0, Math.max(0, target - kept.length))) kept.push(piece);
  return kept;
}

function finished(
  pieces: readonly Piece[],
  characters: ReadonlyMap<number, number>,
  size: number,
): ScoredPiece[] {
  const text = ({ points }: Piece) => String.fromCodePoint(...points);
  const byScore = (a: Piece, b: Piece) => b.score - a.score || (text(a) < text(b) ? -1 : 1);
  const singles = pieces.filter(({ points }) => points.length === 1);
  const longer = pieces.filter(({ points }) => points.length > 1).sort(byScore);
  const chosen = [...singles, ...longer.slice(0, size - characters.size)].sort(byScore);
  return chosen.map((piece): ScoredPiece => [text(piece), readableScore(piece.score)]);
}

/** The derivative of the logarithm of the gamma function (Abramowitz and Stegun 1964, 6.3.5 and 6.3.18). */
function digamma(x: number): number {
  let shift = 0;
  let y = x;
  for (; y < 7; y++) shift -= 1 / y;
  const z = 1 / (y * y);
  return shift + Math.log(y) - 0.5 / y - z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z / 240)));
}
