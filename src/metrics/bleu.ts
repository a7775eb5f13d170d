import { z } from "zod";
import { defineMetric } from "./index.ts";
import { readTexts } from "./inputs.ts";
import { sumsMetric } from "./sums.ts";
import { countCommon, countNgrams, largestCounts, ngramsIn } from "./text/ngrams.ts";
import { bleuTokenizers } from "./text/sacrebleu-tokenizers.ts";
import { stripEnd } from "./text/whitespace.ts";

const options = z.strictObject({
  tokenize: z
    .enum(["13a", "intl", "zh", "char", "none"])
    .default("13a")
    .describe(
      "How text becomes words: 13a (WMT's), intl (Unicode punctuation and symbols apart), zh (Chinese characters apart), char, or none (at white space).",
    ),
  lowercase: z.boolean().default(false).describe("Compare without regard to case."),
  maxNgramOrder: z.int().min(1).default(4).describe("Longest n-grams that are compared, in words."),
  smoothMethod: z
    .enum(["exp", "floor", "add-k", "none"])
    .default("exp")
    .describe("What stands for the precision of an order without a match: Chen and Cherry (2014)."),
  smoothValue: z
    .number()
    .min(0)
    .optional()
    .describe("Value of the smoothing floor (default 0.1) or add-k (default 1)."),
  effectiveOrder: z
    .boolean()
    .default(false)
    .describe("Leave out orders longer than every text; for scores of single sentences."),
});

/**
 * Corpus BLEU in [0, 100]: the geometric mean of n-gram precisions over all texts, times a penalty for being shorter than
 * the references. Precision counts an n-gram at most as often as some reference has it; the reference length is that nearest
 * to the prediction's. Merged parts give the corpus's BLEU, not a mean. Sources: Papineni et al. (2002), "BLEU"; Post (2018),
 * "A Call for Clarity in Reporting BLEU Scores", whose sacrebleu it equals.
 */
export const bleu = defineMetric({
  description:
    "Corpus BLEU of generated texts against one or more references, from 0 to 100 (identical), equal to sacrebleu's. Papineni et al. (2002).",
  options,
  create: (given) => {
    const { maxNgramOrder: orders, lowercase } = given;
    const tokenize = bleuTokenizers[given.tokenize];
    const words = (text: string) => tokenize(stripEnd(lowercase ? text.toLowerCase() : text));
    return sumsMetric({
      name: "bleu",
      reads: ["texts"],
      // Σ words of predictions, Σ words of references; then, an order each: Σ matches, Σ n-grams of predictions.
      length: 2 + 2 * orders,
      terms: (example) => {
        const { prediction, references } = readTexts("bleu", example);
        const predicted = words(prediction);
        const expected = references.map(words);
        const counts = Array.from({ length: orders }, (_, order) => ({
          matches: countCommon(
            countNgrams(predicted, order + 1),
            largestCounts(expected.map((reference) => countNgrams(reference, order + 1))),
          ),
          total: ngramsIn(predicted.length, order + 1),
        }));
        return [
          predicted.length,
          nearest(
            predicted.length,
            expected.map(({ length }) => length),
          ),
          ...counts.map(({ matches }) => matches),
          ...counts.map(({ total }) => total),
        ];
      },
      value: ([predicted = 0, expected = 0, ...counts]) =>
        predicted === 0 && expected === 0
          ? Number.NaN
          : score(predicted, expected, counts.slice(0, orders), counts.slice(orders), given),
      whyUndefined: () => "it saw no word, neither in predictions nor in references",
    });
  },
});

/** The length nearest to the prediction's, the shorter one of two. */
function nearest(length: number, references: readonly number[]): number {
  return references.reduce((best, one) => {
    const nearer = Math.abs(one - length) - Math.abs(best - length);
    return nearer < 0 || (nearer === 0 && one < best) ? one : best;
  });
}

function score(
  predicted: number,
  expected: number,
  matches: readonly number[],
  totals: readonly number[],
  { smoothMethod, smoothValue, effectiveOrder, maxNgramOrder }: z.output<typeof options>,
): number {
  if (matches.every((count) => count === 0)) return 0;
  const brevityPenalty = predicted < expected ? Math.exp(1 - expected / predicted) : 1;
  let halved = 1;
  let orders = maxNgramOrder;
  const logarithms = Array.from({ length: maxNgramOrder }, () => Number.NEGATIVE_INFINITY);
  for (const [order, count] of matches.entries()) {
    const added = smoothMethod === "add-k" && order > 0 ? (smoothValue ?? 1) : 0;
    const total = (totals[order] ?? 0) + added;
    if (total === 0) break;
    if (effectiveOrder) orders = order + 1;
    let matched = count + added;
    if (matched === 0 && smoothMethod === "exp") {
      halved *= 2;
      matched = 1 / halved;
    } else if (matched === 0 && smoothMethod === "floor") matched = smoothValue ?? 0.1;
    logarithms[order] = Math.log((100 * matched) / total);
  }
  const mean = logarithms.slice(0, orders).reduce((sum, one) => sum + one, 0) / orders;
  return brevityPenalty * Math.exp(mean);
}
