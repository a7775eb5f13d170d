import { z } from "zod";
import { defineMetric } from "./index.ts";
import { readTexts } from "./inputs.ts";
import { sumsMetric } from "./sums.ts";
import { withoutEntities } from "./text/sacrebleu-tokenizers.ts";
import { translationEdits } from "./text/tercom.ts";
import { splitWords, stripEnd } from "./text/whitespace.ts";

const options = z.strictObject({
  caseSensitive: z.boolean().default(false).describe("Let case count."),
  normalized: z
    .boolean()
    .default(false)
    .describe("Tokenize as Tercom does: punctuation apart, XML entities resolved."),
  noPunct: z.boolean().default(false).describe("Remove punctuation."),
  asianSupport: z
    .boolean()
    .default(false)
    .describe(
      "With normalized, set Chinese and Japanese characters apart; with noPunct, remove their punctuation.",
    ),
});

/**
 * Σ edits to the nearest reference / Σ mean words of the references, in percent: 0 is identical, and it can pass 100. An edit
 * inserts, deletes or replaces a word, or moves a run of words. `NaN` without a word in references. Source: Snover et al.
 * (2006), "A Study of Translation Edit Rate with Targeted Human Annotation". It equals sacrebleu's.
 */
export const ter = defineMetric({
  description:
    "Translation edit rate in percent of the reference's words: 0 is identical, more is worse; equal to sacrebleu's. Snover et al. (2006).",
  options,
  create: (given) => {
    const words = (text: string) => tokenize(stripEnd(text), given);
    return sumsMetric({
      name: "ter",
      reads: ["texts"],
      length: 2,
      terms: (example) => {
        const { prediction, references } = readTexts("ter", example);
        const predicted = words(prediction);
        const expected = references.map(words);
        const length = expected.reduce((sum, reference) => sum + reference.length, 0) / expected.length;
        return [Math.min(...expected.map((reference) => translationEdits(predicted, reference))), length];
      },
      value: ([edits = 0, length = 0]) => (length === 0 ? Number.NaN : (100 * edits) / length),
      whyUndefined: () => "it saw no word in references",
    });
  },
});

const asianCharacters =
  /([\u4e00-\u9fff\u3400-\u4dbf\u31c0-\u31ef\u2e80-\u2eff\u3300-\u33ff\uf900-\ufaff\ufe30-\ufe4f\u3200-\u3f22])/gu;
const asianPunctuation =
  /([\u3001\u3002\u3008-\u3011\u3014-\u301f\uff61-\uff65\u30fb\uff0e\uff0c\uff1f\uff1a\uff1b\uff01\uff02\uff08\uff09])/gu;

/** Tercom's Normalizer. Its rules for kana, which can match only texts of nothing else before they are padded, never act. */
function tokenize(text: string, given: z.output<typeof options>): string[] {
  let words = given.caseSensitive ? text : text.toLowerCase();
  if (given.normalized) {
    words = ` ${withoutEntities(words.replaceAll("\n-", "").replaceAll("\n", " "))} `
      .replace(/([{-~[-` -&(-+:-@/])/gu, " $1 ")
      .replaceAll("'s ", " 's ")
      .replace(/([^0-9])([.,])/gu, "$1 $2 ")
      .replace(/([.,])([^0-9])/gu, " $1 $2")
      .replace(/([0-9])(-)/gu, "$1 $2 ");
    if (given.asianSupport) words = words.replace(asianCharacters, " $1 ").replace(asianPunctuation, " $1 ");
  }
  if (given.noPunct) {
    words = words.replace(/[.,?:;!"()]/gu, "");
    if (given.asianSupport) words = words.replace(asianPunctuation, "");
  }
  return splitWords(words);
}
