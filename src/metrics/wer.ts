import { defineMetric } from "./index.ts";
import { errorRate, errorRateOptions } from "./text/error-rate.ts";
import { joinSeveralSpaces, strip } from "./text/whitespace.ts";

/**
 * (Substitutions + deletions + insertions) / words of the references, over all texts: 0 is perfect, and it can pass 1. Words
 * are what stands between spaces. `NaN` without a word in references. It equals jiwer's.
 */
export const wer = defineMetric({
  description:
    "Word error rate: edits a word of the references, 0 is perfect and it can pass 1; equal to jiwer's and Hugging Face evaluate's.",
  options: errorRateOptions,
  create: (options) =>
    errorRate("wer", "word", options, (text) =>
      strip(joinSeveralSpaces(text))
        .split(" ")
        .filter((word) => word !== ""),
    ),
});
