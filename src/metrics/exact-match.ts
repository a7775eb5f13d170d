import { z } from "zod";
import { defineMetric } from "./index.ts";
import { answerWords, withoutAsciiPunctuation } from "./text/answers.ts";
import { meanTextScore } from "./text/mean-score.ts";

/**
 * Share of texts that equal one of their references, in [0, 1]. `NaN` over no text. With `normalize: squad` it is SQuAD's EM
 * (Rajpurkar et al., 2016) / 100; without, Hugging Face evaluate's exact_match.
 */
export const exactMatch = defineMetric({
  description:
    "Share of generated texts that equal one of their references, from 0 to 1; as Hugging Face evaluate's, or SQuAD's EM / 100.",
  options: z.strictObject({
    normalize: z
      .enum(["none", "squad"])
      .default("none")
      .describe("squad: without case, ASCII punctuation, articles and extra white space."),
    ignoreCase: z.boolean().default(false).describe("Compare without regard to case."),
    ignorePunctuation: z.boolean().default(false).describe("Remove ASCII punctuation before comparing."),
    ignoreNumbers: z.boolean().default(false).describe("Remove the digits 0 to 9 before comparing."),
  }),
  create: ({ normalize, ignoreCase, ignorePunctuation, ignoreNumbers }) => {
    const compared = (text: string) => {
      let result = ignoreCase ? text.toLowerCase() : text;
      if (ignorePunctuation) result = withoutAsciiPunctuation(result);
      if (ignoreNumbers) result = result.replace(/[0-9]/g, "");
      return normalize === "squad" ? answerWords(result).join(" ") : result;
    };
    return meanTextScore("exact_match", (prediction, reference) =>
      compared(prediction) === compared(reference) ? 1 : 0,
    );
  },
});
