import { TrainingError } from "../errors.ts";
import type { SamplingOptions } from "./options.ts";

/** Tokens that may come next. */
export interface Distribution {
  readonly ids: ArrayLike<number>;
  /** What each weighs beside the others; the largest is 1. */
  readonly weights: Float64Array;
}

/**
 * What the next token is drawn from: logits (V) after the filters, in the order in which Hugging Face's `generate` has them:
 * repetition penalty, temperature, top-k, top-p, min-p. `temperature` 0 leaves the most likely token, of equal ones the first.
 *
 * @param seen ids of the text so far, for the repetition penalty.
 * @throws TrainingError when a logit is not a number, or is infinite.
 */
export function nextTokens(
  logits: Float32Array,
  { repetitionPenalty = 1, temperature = 1, topK, topP, minP }: SamplingOptions,
  seen: readonly number[] = [],
): Distribution {
  const best = largest(logits);
  const scores = repetitionPenalty === 1 ? logits : penalized(logits, repetitionPenalty, seen);
  const first = scores === logits ? best : largest(scores);
  if (temperature === 0) return { ids: [first], weights: Float64Array.of(1) };
  const max = scores[first] ?? 0;
  let tokens: Distribution = weigh(atLeast(scores, topK), scores, max, temperature);
  if (topP !== undefined && topP < 1) tokens = mostLikely(tokens, topP);
  return minP === undefined ? tokens : kept(tokens, (weight) => weight >= minP);
}

/** Index of the largest, of equal ones the first. */
function largest(logits: Float32Array): number {
  let best = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    // −∞ is what a model may say of a token that cannot come.
    if (Number.isNaN(logit) || logit === Number.POSITIVE_INFINITY)
      throw new TrainingError("WEIGHTS_BROKEN", "The model's logits are not finite: its weights are broken.");
    if (logit > (logits[best] as number)) best = id;
  }
  return best;
}

/** Keskar et al. 2019, section 4.1, with its rule for negative scores that transformers has. */
function penalized(logits: Float32Array, penalty: number, seen: readonly number[]): Float32Array {
  const scores = Float32Array.from(logits);
  for (const id of new Set(seen)) {
    const score = scores[id];
    if (score !== undefined) scores[id] = score < 0 ? score * penalty : score / penalty;
  }
  return scores;
}

/** Ids of the k largest scores (Fan et al. 2018); those that equal the k-th are in. All without a k. */
function atLeast(scores: Float32Array, k: number | undefined): ArrayLike<number> {
  const smallest = k === undefined || k >= scores.length ? Number.NEGATIVE_INFINITY : kthLargest(scores, k);
  const ids: number[] = [];
  for (let id = 0; id < scores.length; id++) if ((scores[id] as number) >= smallest) ids.push(id);
  return ids;
}

/** By a heap of the k largest so far, the smallest of them on top: V is large and k is small. */
function kthLargest(scores: Float32Array, k: number): number {
  const heap = scores.slice(0, k).sort();
  for (let at = k; at < scores.length; at++) {
    const score = scores[at] as number;
    if (score <= (heap[0] as number)) continue;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= k) break;
      if (child + 1 < k && (heap[child + 1] as number) < (heap[child] as number)) child++;
      if ((heap[child] as number) >= score) break;
      heap[place] = heap[child] as number;
      place = child;
    }
    heap[place] = score;
  }
  return heap[0] as number;
}

function weigh(ids: ArrayLike<number>, scores: Float32Array, max: number, temperature: number): Distribution {
  const weights = new Float64Array(ids.length);
  for (let at = 0; at < ids.length; at++)
    weights[at] = Math.exp(((scores[ids[at] as number] as number) - max) / temperature);
  return { ids, weights };
}

/**
 * The most likely tokens that together reach the share p (Holtzman et al. 2020), the one that crosses it included; at least
 * one. Of equally likely ones at the border those with the smaller ids.
 */
function mostLikely(tokens: Distribution, p: number): Distribution {
  const sorted = tokens.weights.slice().sort().reverse();
  const limit = p * sorted.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  let count = 0;
  while (count < sorted.length && (count === 0 || mass < limit)) mass += sorted[count++] as number;
  const border = sorted[count - 1] as number;
  let equal = count - sorted.indexOf(border);
  return kept(tokens, (weight) => weight > border || (weight === border && equal-- > 0));
}

function kept({ ids, weights }: Distribution, test: (weight: number) => boolean): Distribution {
  const [left, theirs]: [number[], number[]] = [[], []];
  for (let at = 0; at < weights.length; at++) {
    const weight = weights[at] as number;
    if (!test(weight)) continue;
    left.push(ids[at] as number);
    theirs.push(weight);
  }
  return { ids: left, weights: Float64Array.from(theirs) };
}
