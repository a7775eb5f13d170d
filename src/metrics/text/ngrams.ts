/** How often each sequence of n tokens occurs. Tokens must not contain the separator. */
export function countNgrams(tokens: readonly string[], n: number, separator = " "): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + n <= tokens.length; at++) {
    const gram = n === 1 ? (tokens[at] ?? "") : tokens.slice(at, at + n).join(separator);
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** Of how many n-grams a sequence of `length` tokens is made. */
export function ngramsIn(length: number, n: number): number {
  return Math.max(0, length - n + 1);
}

/** The size of the intersection of two multisets. */
export function countCommon(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let common = 0;
  for (const [gram, count] of a) common += Math.min(count, b.get(gram) ?? 0);
  return common;
}

/** The union of multisets: of each n-gram the largest count. */
export function largestCounts(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const largest = new Map<string, number>();
  for (const counts of all)
    for (const [gram, count] of counts) largest.set(gram, Math.max(count, largest.get(gram) ?? 0));
  return largest;
}
