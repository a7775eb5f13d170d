/** A word of the corpus as code points, and how often it occurs. */
export interface CountedWord {
  readonly points: readonly number[];
  readonly count: number;
}

export interface Seed {
  readonly points: readonly number[];
  /** Occurrences in the corpus. */
  readonly count: number;
}

/** Code points of distinct words that substrings are looked for in, the most frequent words first: bounds the memory. */
const MOST_POINTS = 1 << 22;

/**
 * The substrings of words from which pieces are chosen: of 2 to `longest` characters, occurring at least `minFrequency` times, and not always
 * followed by the same character (a longer one would be as frequent). Those of the largest count × length, at most `most`.
 *
 * A suffix array (sorted up to `longest` characters) has equal substrings side by side; a pass over it with a stack finds them
 * all (Abouelhoda, Kurtz and Ohlebusch 2004, "Replacing suffix trees with enhanced suffix arrays").
 */
export function seedPieces(
  words: readonly CountedWord[],
  longest: number,
  minFrequency: number,
  most: number,
): Seed[] {
  const { text, weights } = concatenated(words);
  const suffixes = sortedSuffixes(text, longest);
  const shared = (a: number, b: number): number => {
    let length = 0;
    while (length < longest && text[a + length] !== 0 && text[a + length] === text[b + length]) length++;
    return length;
  };
  const found: { at: number; length: number; count: number }[] = [];
  const keep = (at: number, length: number, count: number) => {
    if (length > 1 && count >= minFrequency) found.push({ at, length, count });
  };
  const stack: { length: number; count: number; at: number }[] = [];
  let before = 0;
  for (let i = 0; i < suffixes.length; i++) {
    const at = suffixes[i] ?? 0;
    const after = i + 1 < suffixes.length ? shared(at, suffixes[i + 1] ?? 0) : 0;
    const weight = weights[at] ?? 0;
    // What is left of a word, where no other suffix begins so.
    let length = Math.max(before, after);
    while (length <= longest && text[at + length] !== 0) length++;
    if (length <= longest && length > Math.max(before, after)) keep(at, length, weight);
    if (after > (stack.at(-1)?.length ?? 0)) stack.push({ length: after, count: weight, at });
    else {
      const top = stack.at(-1);
      if (top !== undefined) top.count += weight;
      for (let last = stack.at(-1); last !== undefined && last.length > after; last = stack.at(-1)) {
        keep(last.at, last.length, last.count);
        stack.pop();
        const outer = stack.at(-1);
        if (outer !== undefined && outer.length >= after) outer.count += last.count;
        else if (after > 0) stack.push({ length: after, count: last.count, at: last.at });
      }
    }
    before = after;
  }
  found.sort((a, b) => b.count * b.length - a.count * a.length || a.at - b.at || a.length - b.length);
  return found
    .slice(0, most)
    .map(({ at, length, count }) => ({ points: Array.from(text.subarray(at, at + length)), count }));
}

/** Words one after another with 0 after each; the weight of every place is the count of its word. */
function concatenated(words: readonly CountedWord[]) {
  let size = 0;
  const chosen: CountedWord[] = [];
  for (const word of [...words].sort((a, b) => b.count - a.count)) {
    if (size + word.points.length + 1 > MOST_POINTS) break;
    size += word.points.length + 1;
    chosen.push(word);
  }
  const text = new Int32Array(size);
  const weights = new Float64Array(size);
  let at = 0;
  for (const { points, count } of chosen) {
    weights.fill(count, at, at + points.length);
    // U+0000 of a text ends what can be shared, as the end of a word does.
    for (const point of points) text[at++] = point;
    at++;
  }
  return { text, weights };
}

function sortedSuffixes(text: Int32Array, longest: number): Int32Array {
  const places = new Int32Array(text.length);
  let size = 0;
  for (let at = 0; at < text.length; at++) if (text[at] !== 0) places[size++] = at;
  return places.subarray(0, size).sort((a, b) => {
    for (let i = 0; i < longest; i++) {
      const x = text[a + i] ?? 0;
      const y = text[b + i] ?? 0;
      if (x !== y) return x - y;
      if (x === 0) break;
    }
    return a - b;
  });
}
