import { z } from "zod";
import { defineMetric } from "./index.ts";
import { readTexts } from "./inputs.ts";
import { sumsMetric } from "./sums.ts";
import { countCommon, countNgrams, ngramsIn } from "./text/ngrams.ts";
import { splitWords } from "./text/whitespace.ts";

const options = z.strictObject({
  charOrder: z.int().min(1).default(6).describe("Longest n-grams of characters."),
  wordOrder: z.int().min(0).default(0).describe("Longest n-grams of words: 0 is chrF, 2 is chrF++."),
  beta: z.number().positive().default(2).describe("How much more recall weighs than precision."),
  lowercase: z.boolean().default(false).describe("Compare without regard to case."),
  whitespace: z.boolean().default(false).describe("Let white space count as characters."),
  epsSmoothing: z
    .boolean()
    .default(false)
    .describe("Average F-scores over all orders, as chrF++.py, NLTK and Moses do."),
});

/** Stands for 0 in the smoothing of chrF++.py. */
const epsilon = 1e-16;

/**
 * chrF in [0, 100]: F-score of character n-grams, precision and recall averaged over the orders that both sides have. Of
 * several references the one with the best score counts. Sources: Popović (2015), "chrF"; (2017), "chrF++: words helping
 * character n-grams". It equals sacrebleu's.
 */
export const chrf = defineMetric({
  description:
    "chrF, or chrF++ with wordOrder 2: F-score of character n-grams, from 0 to 100 (identical), equal to sacrebleu's. Popović (2015, 2017).",
  options,
  create: (given) => {
    const { charOrder, wordOrder, lowercase, whitespace } = given;
    const grams = (text: string): Counted[] => {
      const cased = lowercase ? text.toLowerCase() : text;
      const characters = Array.from(whitespace ? cased : splitWords(cased).join(""));
      const words = wordOrder > 0 ? splitWords(cased).flatMap(withoutPunctuation) : [];
      return [
        ...Array.from({ length: charOrder }, (_, order) => counted(characters, order + 1, "")),
        ...Array.from({ length: wordOrder }, (_, order) => counted(words, order + 1, " ")),
      ];
    };
    return sumsMetric({
      name: "chrf",
      reads: ["texts"],
      // Of each order: n-grams of predictions, of references, and those in both.
      length: 3 * (charOrder + wordOrder),
      terms: (example) => {
        const { prediction, references } = readTexts("chrf", example);
        const predicted = grams(prediction);
        const all = references.map((reference) => compare(predicted, grams(reference)));
        return all.reduce((best, one) => (score(one, given) > score(best, given) ? one : best));
      },
      value: (sums) => (sums.every((sum) => sum === 0) ? Number.NaN : score(sums, given)),
      whyUndefined: () => "it saw no character in references",
    });
  },
});

interface Counted {
  readonly grams: ReadonlyMap<string, number>;
  readonly total: number;
}

function counted(tokens: readonly string[], n: number, separator: string): Counted {
  return { grams: countNgrams(tokens, n, separator), total: ngramsIn(tokens.length, n) };
}

function compare(predicted: readonly Counted[], expected: readonly Counted[]): number[] {
  return predicted.flatMap(({ grams, total }, order) => {
    const reference = expected[order] ?? { grams: new Map(), total: 0 };
    // Where the reference has no n-gram of an order, the prediction's are no mistakes.
    return [reference.total > 0 ? total : 0, reference.total, countCommon(grams, reference.grams)];
  });
}

function score(sums: readonly number[], { beta, epsSmoothing }: z.output<typeof options>): number {
  const factor = beta ** 2;
  const f = (precision: number, recall: number) =>
    ((1 + factor) * precision * recall) / (factor * precision + recall);
  let [precisions, recalls, both, smoothed] = [0, 0, 0, 0];
  for (let at = 0; at < sums.length; at += 3) {
    const [predicted = 0, expected = 0, common = 0] = sums.slice(at, at + 3);
    const precision = predicted > 0 ? common / predicted : epsilon;
    const recall = expected > 0 ? common / expected : epsilon;
    smoothed += precision + recall > 0 ? f(precision, recall) : epsilon;
    if (predicted === 0 || expected === 0) continue;
    precisions += precision;
    recalls += recall;
    both++;
  }
  if (epsSmoothing) return (100 * smoothed) / (sums.length / 3);
  return precisions + recalls === 0 ? 0 : 100 * f(precisions / both, recalls / both);
}

const punctuation = new Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

/** A word with one mark apart: that at its end, or else that at its start. Both is not what chrF++ does. */
function withoutPunctuation(word: string): string[] {
  const characters = Array.from(word);
  const [first = "", last = ""] = [characters[0], characters.at(-1)];
  if (characters.length === 1) return [word];
  if (punctuation.has(last)) return [word.slice(0, -1), last];
  return punctuation.has(first) ? [first, word.slice(1)] : [word];
}
