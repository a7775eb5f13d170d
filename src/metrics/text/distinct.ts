import { z } from "zod";
import type { StreamingMetric } from "../index.ts";
import { countSchema, readState, readTexts } from "../inputs.ts";
import { countNgrams, ngramsIn } from "./ngrams.ts";
import { splitWords } from "./whitespace.ts";

export const distinctOptions = z.strictObject({
  unit: z
    .enum(["word", "character"])
    .default("word")
    .describe(
      "What n-grams are made of: words between white space, or characters (for Chinese and Japanese).",
    ),
  per: z
    .enum(["ngram", "token"])
    .default("ngram")
    .describe(
      "What the distinct n-grams are divided by: all n-grams, or, as in the paper, all words or characters.",
    ),
});

const stateSchema = z.strictObject({ distinct: z.array(z.string()), total: countSchema });

/**
 * Distinct n-grams / all n-grams of everything generated, in [0, 1]: how varied the texts are. References are not looked at.
 * The state holds every distinct n-gram: some 50 bytes each. Source: Li et al. (2016), "A Diversity-Promoting Objective
 * Function for Neural Conversation Models".
 */
export function distinctNgrams(
  name: string,
  n: number,
  { unit, per }: z.output<typeof distinctOptions>,
): StreamingMetric {
  const distinct = new Set<string>();
  let total = 0;
  return {
    reads: ["texts"],
    update: (example) => {
      const { prediction } = readTexts(name, example);
      const tokens = unit === "word" ? splitWords(prediction) : Array.from(prediction);
      for (const gram of countNgrams(tokens, n, unit === "word" ? " " : "").keys()) distinct.add(gram);
      total += per === "token" ? tokens.length : ngramsIn(tokens.length, n);
    },
    compute: () => (total === 0 ? Number.NaN : distinct.size / total),
    reset: () => {
      distinct.clear();
      total = 0;
    },
    state: () => ({ distinct: [...distinct].sort(), total }),
    merge: (state) => {
      const other = readState(name, stateSchema, state);
      for (const gram of other.distinct) distinct.add(gram);
      total += other.total;
    },
    warnings: () => (total === 0 ? [`it saw no text of ${n} ${unit}${n === 1 ? "" : "s"} or more`] : []),
  };
}
