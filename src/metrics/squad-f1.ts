import { z } from "zod";
import { defineMetric } from "./index.ts";
import { answerWords } from "./text/answers.ts";
import { meanTextScore } from "./text/mean-score.ts";
import { ngramOverlap } from "./text/summary-overlap.ts";

/**
 * Mean over questions of the F1 of the words of an answer, best of several references, in percent. Words are without case,
 * ASCII punctuation and articles. An empty answer is right (100) where an empty one is expected, as in SQuAD 2.0. `NaN` over no
 * question. Sources: Rajpurkar et al. (2016), "SQuAD"; (2018), "Know What You Don't Know".
 */
export const squadF1 = defineMetric({
  description:
    "F1 of the words of answers, mean over questions from 0 to 100; equal to SQuAD's evaluation. Rajpurkar et al. (2016, 2018).",
  options: z.strictObject({}),
  create: () =>
    meanTextScore(
      "squad_f1",
      (prediction, reference) => {
        const [predicted, expected] = [answerWords(prediction), answerWords(reference)];
        if (predicted.length === 0 && expected.length === 0) return 1;
        return ngramOverlap(predicted, expected, 1).fmeasure;
      },
      100,
    ),
});
