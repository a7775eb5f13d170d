/**
 * Fewest insertions, deletions and substitutions, each at cost 1, that turn one sequence into the other. Time
 * O(n · m), memory O(m). Source: Wagner and Fischer (1974), "The string-to-string correction problem".
 */
export function editDistance(from: readonly string[], to: readonly string[]): number {
  const [a, b] = withoutCommonEnds(from, to);
  const row = Uint32Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, token] of a.entries()) {
    let diagonal = row[0] ?? 0;
    row[0] = i + 1;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] ?? 0;
      const substituted = diagonal + (b[j - 1] === token ? 0 : 1);
      row[j] = Math.min(substituted, above + 1, (row[j - 1] ?? 0) + 1);
      diagonal = above;
    }
  }
  return row[b.length] ?? 0;
}

/** Length of a longest common subsequence. */
export function commonSubsequence(from: readonly string[], to: readonly string[]): number {
  const [a, b] = withoutCommonEnds(from, to);
  const row = new Uint32Array(b.length + 1);
  for (const token of a) {
    let diagonal = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] ?? 0;
      row[j] = b[j - 1] === token ? diagonal + 1 : Math.max(above, row[j - 1] ?? 0);
      diagonal = above;
    }
  }
  return (row[b.length] ?? 0) + from.length - a.length;
}

/** Both without what they begin and end with alike: it changes neither result, and most texts are nearly alike. */
function withoutCommonEnds(
  a: readonly string[],
  b: readonly string[],
): [readonly string[], readonly string[]] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}
