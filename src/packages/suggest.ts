import { quote } from "./display.ts";

/**
 * The candidates that `word` was probably meant to be, best first.
 *
 * Spelling is compared without case and separators (`learning_rate` is `learningRate`), by the number of insertions,
 * deletions, substitutions and swaps of neighbours; a word of up to 3 characters may be 1 off, up to 6: 2, longer: 3.
 * A beginning of at least 3 characters also counts (`perp` for `perplexity`).
 *
 * @example closestNames("perplexty", ["accuracy", "perplexity"]) // ["perplexity"]
 */
export function closestNames(word: string, candidates: Iterable<string>, limit = 3): string[] {
  const wanted = fold(word);
  const allowed = wanted.length <= 3 ? 1 : wanted.length <= 6 ? 2 : 3;
  const scored: { candidate: string; distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const folded = fold(candidate);
    const begins = wanted.length >= 3 && folded.startsWith(wanted);
    // The difference in length is a lower bound: it spares the quadratic comparison for hopeless pairs.
    if (!begins && Math.abs(folded.length - wanted.length) > allowed) continue;
    const distance = begins ? allowed : editDistance(wanted, folded);
    if (distance <= allowed && distance < folded.length) scored.push({ candidate, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return scored.slice(0, limit).map(({ candidate }) => candidate);
}

/** Edits between two strings, a swap of neighbours counting once (optimal string alignment distance). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = []; // rows[i][j]: between the first i characters of a and the first j of b.
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [];
    rows.push(row);
    for (let j = 0; j <= b.length; j++) {
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      const substituted = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(
        i === 0 || j === 0 ? i + j : Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, substituted, swapped),
      );
    }
  }
  return at(a.length, b.length);
}

function fold(text: string): string {
  return text.toLowerCase().replace(/[\s._-]/g, "");
}

/** What is wrong with the first key that is none of the known, and what was probably meant. */
export function unknownKey(keys: Iterable<string>, known: readonly string[]): string | undefined {
  for (const key of keys) {
    if (known.includes(key)) continue;
    const [closest] = closestNames(key, known);
    const hint = closest === undefined ? `known are ${known.join(", ")}` : `did you mean ${quote(closest)}?`;
    return `unknown key ${quote(key)}; ${hint}`;
  }
  return undefined;
}
