/**
 * Where in a text of `length` tokens, `promptLength` of which were given, the model begins to read to write the next one.
 *
 * It sees the last `positions` tokens of a prompt and all that follows, as long as that fits. A text that has outgrown its
 * positions goes on from half of them, and grows again: so the window moves once in a while. Moved at every token, each of
 * its tokens would get another position each time, and nothing that was computed before could be used.
 */
export function windowStart(length: number, promptLength: number, positions: number): number {
  const first = Math.max(0, promptLength - positions);
  const over = length - first - positions;
  const half = Math.ceil(positions / 2);
  return over > 0 ? first + half * Math.ceil(over / half) : first;
}
