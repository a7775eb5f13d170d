import { bytePieces } from "./byte-pieces.ts";
import { codePoints, PieceTrie } from "./piece-trie.ts";
import { bestCut } from "./unigram-lattice.ts";
import type { ScoredPiece } from "./unigram-trainer.ts";

/** How much less likely than the least likely piece an unknown character is, as in SentencePiece. */
const UNKNOWN_PENALTY = 10;

/**
 * What gives the ids of a word: the most probable way to spell it. Unknown characters side by side are one id, or with
 * `byteFallback` those of their bytes.
 */
export function pieceIds(settings: {
  /** Piece and score of each id. */
  readonly pieces: readonly ScoredPiece[];
  readonly unknownId: number;
  /** Ids of pieces that no word is spelt with. */
  readonly hidden: ReadonlySet<number>;
  readonly byteFallback: boolean;
}): (word: string) => Int32Array {
  const { pieces, unknownId, hidden, byteFallback } = settings;
  const idOf = new Map(pieces.map(([piece], id) => [piece, id]));
  const byteIds = Int32Array.from(byteFallback ? bytePieces : [], (piece) => idOf.get(piece) ?? unknownId);
  const entries = pieces.map(([piece], id) => [codePoints(piece), id] as const);
  const trie = new PieceTrie(entries.filter(([points, id]) => points.length > 0 && !hidden.has(id)));
  const scores = Float64Array.from(pieces, ([, score]) => score);
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), 0) - UNKNOWN_PENALTY;
  return (word) => {
    const points = codePoints(word);
    const cut = bestCut(points, trie, scores, unknownScore);
    const ids: number[] = [];
    for (const [at, id] of cut.ids.entries()) {
      if (id >= 0) ids.push(id);
      else if (byteFallback) {
        const character = String.fromCodePoint(points[(cut.ends[at] ?? 1) - 1] ?? 0);
        for (const byte of Buffer.from(character, "utf8")) ids.push(byteIds[byte] ?? unknownId);
      } else if (cut.ids[at - 1] !== -1) ids.push(unknownId);
    }
    return Int32Array.from(ids);
  };
}
