import { commonSubsequence } from "./edit-distance.ts";
import { countCommon, countNgrams, ngramsIn } from "./ngrams.ts";

export interface Overlap {
  readonly precision: number;
  readonly recall: number;
  readonly fmeasure: number;
}

function overlap(common: number, predicted: number, expected: number): Overlap {
  const precision = predicted === 0 ? 0 : common / predicted;
  const recall = expected === 0 ? 0 : common / expected;
  const both = precision + recall;
  return { precision, recall, fmeasure: both === 0 ? 0 : (2 * precision * recall) / both };
}

/** ROUGE-N: the n-grams that both have. */
export function ngramOverlap(predicted: readonly string[], expected: readonly string[], n: number): Overlap {
  const common = countCommon(countNgrams(predicted, n), countNgrams(expected, n));
  return overlap(common, ngramsIn(predicted.length, n), ngramsIn(expected.length, n));
}

/** ROUGE-L: the longest common subsequence. */
export function sequenceOverlap(predicted: readonly string[], expected: readonly string[]): Overlap {
  return overlap(commonSubsequence(predicted, expected), predicted.length, expected.length);
}

/**
 * ROUGE-L of summaries: of each sentence of the reference, the words that a longest common subsequence with some sentence of
 * the prediction covers; no word counts more often than it occurs on either side.
 */
export function summaryOverlap(
  predicted: readonly (readonly string[])[],
  expected: readonly (readonly string[])[],
): Overlap {
  const [left, right] = [countNgrams(predicted.flat(), 1), countNgrams(expected.flat(), 1)];
  let hits = 0;
  for (const sentence of expected) {
    const covered = new Set(predicted.flatMap((other) => coveredBy(sentence, other)));
    for (const at of [...covered].sort((a, b) => a - b)) {
      const word = sentence[at] ?? "";
      const [there, here] = [left.get(word) ?? 0, right.get(word) ?? 0];
      if (there === 0 || here === 0) continue;
      hits++;
      left.set(word, there - 1);
      right.set(word, here - 1);
    }
  }
  return overlap(hits, predicted.flat().length, expected.flat().length);
}

/** Places in `sentence` of one longest common subsequence with `other`. Which of several it is, changes the score. */
function coveredBy(sentence: readonly string[], other: readonly string[]): number[] {
  const width = other.length + 1;
  const lengths = new Uint32Array((sentence.length + 1) * width);
  const lengthAt = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (const [i, word] of sentence.entries())
    for (const [j, candidate] of other.entries())
      lengths[(i + 1) * width + j + 1] =
        word === candidate ? lengthAt(i, j) + 1 : Math.max(lengthAt(i, j + 1), lengthAt(i + 1, j));
  const places: number[] = [];
  for (let [i, j] = [sentence.length, other.length]; i > 0 && j > 0; ) {
    if (sentence[i - 1] === other[j - 1]) {
      places.push(i - 1);
      i--;
      j--;
    } else if (lengthAt(i, j - 1) > lengthAt(i - 1, j)) j--;
    else i--;
  }
  return places;
}
