import { defineMetric } from "./index.ts";
import { errorRate, errorRateOptions } from "./text/error-rate.ts";
import { strip } from "./text/whitespace.ts";

/**
 * (Substitutions + deletions + insertions) / characters of the references, over all texts: 0 is perfect, and it can pass 1.
 * A character is a Unicode code point; spaces inside count. `NaN` without a character in references. It equals jiwer's.
 */
export const cer = defineMetric({
  description:
    "Character error rate: edits a character (Unicode code point) of the references, 0 is perfect and it can pass 1; equal to jiwer's.",
  options: errorRateOptions,
  create: (options) => errorRate("cer", "character", options, (text) => Array.from(strip(text))),
});
