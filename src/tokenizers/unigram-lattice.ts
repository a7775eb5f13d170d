import { PieceTrie } from "./piece-trie.ts";

/**
 * The best way to cut a word into pieces: the one whose scores (log probabilities) add up to the most (Viterbi). A
 * character that no piece spells costs `unknownScore`.
 *
 * @param without A piece that may not be used.
 * @returns For every cut from left to right, where it ends and which piece it is (−1: an unknown character); their sum.
 */
export function bestCut(
  word: readonly number[],
  trie: PieceTrie,
  scores: ArrayLike<number>,
  unknownScore: number,
  without = -1,
): { readonly ends: readonly number[]; readonly ids: readonly number[]; readonly score: number } {
  const size = word.length;
  const best = new Float64Array(size + 1).fill(-Infinity);
  const from = new Int32Array(size + 1).fill(-1);
  const piece = new Int32Array(size + 1).fill(-1);
  best[0] = 0;
  for (let start = 0; start < size; start++) {
    const before = best[start] ?? 0;
    let isSpelt = false;
    let node: number = PieceTrie.root;
    for (let end = start; end < size; ) {
      node = trie.step(node, word[end] ?? 0);
      if (node < 0) break;
      end++;
      const id = trie.idAt(node);
      if (id < 0 || id === without) continue;
      isSpelt ||= end === start + 1;
      const score = before + (scores[id] ?? 0);
      if (from[end] === -1 || score > (best[end] ?? 0)) {
        best[end] = score;
        from[end] = start;
        piece[end] = id;
      }
    }
    const after = start + 1;
    if (!isSpelt && (from[after] === -1 || before + unknownScore > (best[after] ?? 0))) {
      best[after] = before + unknownScore;
      from[after] = start;
      piece[after] = -1;
    }
  }
  const ends: number[] = [];
  const ids: number[] = [];
  for (let end = size; end > 0; end = from[end] ?? 0) {
    ends.push(end);
    ids.push(piece[end] ?? -1);
  }
  return { ends: ends.reverse(), ids: ids.reverse(), score: best[size] ?? 0 };
}

/**
 * Adds to `expected` how often each piece is expected in a word, over all ways to cut it, `count` times (the E step of Kudo
 * 2018, section 3.2; forward–backward).
 */
export function addExpectedCounts(
  word: readonly number[],
  count: number,
  trie: PieceTrie,
  scores: ArrayLike<number>,
  expected: Float64Array,
): void {
  const size = word.length;
  const edges: number[] = []; // start, end, id
  for (let start = 0; start < size; start++) {
    let node: number = PieceTrie.root;
    for (let end = start; end < size; ) {
      node = trie.step(node, word[end] ?? 0);
      if (node < 0) break;
      end++;
      const id = trie.idAt(node);
      if (id >= 0) edges.push(start, end, id);
    }
  }
  const forward = new Float64Array(size + 1).fill(-Infinity);
  const backward = new Float64Array(size + 1).fill(-Infinity);
  forward[0] = 0;
  backward[size] = 0;
  for (let at = 0; at < edges.length; at += 3) {
    const [start = 0, end = 0, id = 0] = [edges[at], edges[at + 1], edges[at + 2]];
    forward[end] = logAdd(forward[end] ?? 0, (forward[start] ?? 0) + (scores[id] ?? 0));
  }
  for (let at = edges.length - 3; at >= 0; at -= 3) {
    const [start = 0, end = 0, id = 0] = [edges[at], edges[at + 1], edges[at + 2]];
    backward[start] = logAdd(backward[start] ?? 0, (backward[end] ?? 0) + (scores[id] ?? 0));
  }
  const total = forward[size] ?? 0;
  if (total === -Infinity) return;
  for (let at = 0; at < edges.length; at += 3) {
    const [start = 0, end = 0, id = 0] = [edges[at], edges[at + 1], edges[at + 2]];
    const share = Math.exp((forward[start] ?? 0) + (scores[id] ?? 0) + (backward[end] ?? 0) - total);
    expected[id] = (expected[id] ?? 0) + count * share;
  }
}

function logAdd(a: number, b: number): number {
  const larger = Math.max(a, b);
  return larger === -Infinity ? larger : larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
}
