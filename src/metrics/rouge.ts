import { z } from "zod";
import { defineMetric } from "./index.ts";
import { readTexts } from "./inputs.ts";
import { noExample, sumsMetric } from "./sums.ts";
import { porterStem } from "./text/porter-stemmer.ts";
import { ngramOverlap, type Overlap, sequenceOverlap, summaryOverlap } from "./text/summary-overlap.ts";

const types = ["rouge1", "rouge2", "rougeL", "rougeLsum"] as const;
type RougeType = (typeof types)[number];

/** Words of ASCII letters and digits: all else separates, as in Lin's program. */
function words(text: string, useStemmer: boolean): string[] {
  const all = text.toLowerCase().match(/[a-z0-9]+/gu) ?? [];
  return useStemmer ? all.map((word) => (word.length > 3 ? porterStem(word) : word)) : [...all];
}

function score(type: RougeType, prediction: string, reference: string, useStemmer: boolean): Overlap {
  if (type === "rougeLsum") {
    const sentences = (text: string) => text.split("\n").map((line) => words(line, useStemmer));
    return summaryOverlap(sentences(prediction), sentences(reference));
  }
  const [predicted, expected] = [words(prediction, useStemmer), words(reference, useStemmer)];
  if (type === "rougeL") return sequenceOverlap(predicted, expected);
  return ngramOverlap(predicted, expected, type === "rouge1" ? 1 : 2);
}

/**
 * Mean over texts of ROUGE in [0, 1]: overlap of words (rouge1), word pairs (rouge2), longest common subsequence of the texts
 * (rougeL) or of their lines (rougeLsum). Of several references that with the largest F-measure counts. Words are runs of
 * ASCII letters and digits, so that texts of other scripts have none and score 0. `NaN` over no text. Source: Lin (2004),
 * "ROUGE: A Package for Automatic Evaluation of Summaries". It equals rouge-score's, averaged without its random resampling.
 */
export const rouge = defineMetric({
  description:
    "ROUGE-1, -2, -L and -Lsum of summaries, mean over texts from 0 to 1 (identical); equal to rouge-score's. Lin (2004).",
  options: z.strictObject({
    types: z
      .array(z.enum(types))
      .min(1)
      .default([...types])
      .describe("Which to compute; rougeLsum takes lines for sentences."),
    measure: z
      .enum(["fmeasure", "precision", "recall"])
      .default("fmeasure")
      .describe("F-measure, precision (share of the prediction) or recall (share of the reference)."),
    useStemmer: z.boolean().default(false).describe("Compare word stems: Porter's stemmer, for English."),
  }),
  create: ({ types, measure, useStemmer }) =>
    sumsMetric({
      name: "rouge",
      reads: ["texts"],
      length: types.length + 1,
      terms: (example) => {
        const { prediction, references } = readTexts("rouge", example);
        const best = (type: RougeType) =>
          references
            .map((reference) => score(type, prediction, reference, useStemmer))
            .reduce((best, one) => (one.fmeasure > best.fmeasure ? one : best));
        return [...types.map((type) => best(type)[measure]), 1];
      },
      value: (sums) =>
        Object.fromEntries(types.map((type, at) => [type, (sums[at] ?? 0) / (sums[types.length] ?? 0)])),
      whyUndefined: noExample,
    }),
});
