/**
 * What gives the ids of a word as WordPiece does (Wu et al. 2016, section 4.1): always the longest piece that fits, from left to
 * right; pieces that go on a word are written with `prefix`. Words of more than `longestWord` characters are unknown.
 */
export function longestMatches(settings: {
  readonly pieces: Iterable<readonly [piece: string, id: number]>;
  readonly prefix: string;
  readonly longestWord: number;
  readonly unknown: number;
}): (word: string) => Int32Array {
  const { prefix, longestWord, unknown } = settings;
  const beginning = new Map<string, number>();
  const going = new Map<string, number>();
  let longest = 0;
  for (const [piece, id] of settings.pieces) {
    beginning.set(piece, id);
    if (piece.startsWith(prefix)) going.set(piece.slice(prefix.length), id);
    longest = Math.max(longest, piece.length);
  }
  return (word) => {
    if (word.length > longestWord && [...word].length > longestWord) return Int32Array.of(unknown);
    const ids: number[] = [];
    for (let start = 0; start < word.length; ) {
      const pieces = start === 0 ? beginning : going;
      let end = Math.min(word.length, start + longest);
      let id = pieces.get(word.slice(start, end));
      while (id === undefined && --end > start) id = pieces.get(word.slice(start, end));
      if (id === undefined) return Int32Array.of(unknown);
      ids.push(id);
      start = end;
    }
    return Int32Array.from(ids);
  };
}
