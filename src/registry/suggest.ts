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
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(at(last, j) + 1, at(row, j - 1) + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, at(beforeLast, j - 2) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

function fold(text: string): string {
  return text.toLowerCase().replace(/[\s._-]/g, "");
}
