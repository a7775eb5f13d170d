import { z } from "zod";
import type { EvaluatedExample, StreamingMetric } from "../index.ts";
import { readTexts } from "../inputs.ts";
import { sumsMetric } from "../sums.ts";
import { editDistance } from "./edit-distance.ts";

export const errorRateOptions = z.strictObject({
  ignoreCase: z.boolean().default(false).describe("Compare without regard to case."),
  ignorePunctuation: z.boolean().default(false).describe("Remove Unicode punctuation before comparing."),
});

/** Σ edits / Σ units of the references, a unit being a word or a character. Of several references the nearest counts. */
export function errorRate(
  name: string,
  unit: string,
  { ignoreCase, ignorePunctuation }: z.output<typeof errorRateOptions>,
  split: (text: string) => string[],
): StreamingMetric {
  const units = (text: string) => {
    const cased = ignoreCase ? text.toLowerCase() : text;
    return split(ignorePunctuation ? cased.replace(/\p{P}/gu, "") : cased);
  };
  return sumsMetric({
    name,
    reads: ["texts"],
    length: 2,
    terms: (example: EvaluatedExample) => {
      const { prediction, references } = readTexts(name, example);
      const predicted = units(prediction);
      return references
        .map(units)
        .map((expected): [number, number] => [editDistance(expected, predicted), expected.length])
        .reduce((best, one) => (rate(one) < rate(best) ? one : best));
    },
    value: ([edits = 0, length = 0]) => (length === 0 ? Number.NaN : edits / length),
    whyUndefined: () => `it saw no ${unit} in references`,
  });
}

/** An empty reference is missed by each edit whole. */
function rate([edits, length]: readonly [number, number]): number {
  return length === 0 ? edits : edits / length;
}
