import type { Random } from "../../tensor/index.ts";
import { nextTokens } from "./distribution.ts";
import type { SamplingOptions } from "./options.ts";

/** Draws the id of the next token from its logits, shape (V). Equal logits and generator state give equal ids. */
export function sampleToken(
  logits: Float32Array,
  options: SamplingOptions,
  random: Random,
  seen: readonly number[] = [],
): number {
  const { ids, weights } = nextTokens(logits, options, seen);
  if (ids.length === 1) return ids[0] as number;
  let draw = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let at = 0; at < ids.length; at++) {
    draw -= weights[at] as number;
    if (draw < 0) return ids[at] as number;
  }
  // Rounding left something over: it belongs to the last token that can be drawn.
  return ids[weights.findLastIndex((weight) => weight > 0)] as number;
}
