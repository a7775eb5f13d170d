import { z } from "zod";
import { defineMetric } from "./index.ts";
import { commonSubsequence, editDistance } from "./text/edit-distance.ts";
import { meanTextScore } from "./text/mean-score.ts";

/**
 * Mean over texts of 1 − distance / largest possible distance, between Unicode code points: 1 is identical, 0 nothing in
 * common. Two empty texts are identical. Of several references the most similar counts. `NaN` over no text. `levenshtein` is
 * the edit similarity of repository-level code completion (RepoCoder, CrossCodeEval) and RapidFuzz's
 * `Levenshtein.normalized_similarity`; `indel`, where a substitution costs two, is `fuzz.ratio` / 100 (CodeXGLUE).
 */
export const editSimilarity = defineMetric({
  description:
    "Mean similarity of texts by edit distance, from 0 to 1 (identical); equal to RapidFuzz's. Code completion's ES.",
  options: z.strictObject({
    distance: z
      .enum(["levenshtein", "indel"])
      .default("levenshtein")
      .describe(
        "levenshtein: 1 − distance / longer length; indel, where a substitution costs 2: 1 − distance / both lengths, which is fuzz.ratio / 100.",
      ),
  }),
  create: ({ distance }) =>
    meanTextScore("edit_similarity", (prediction, reference) => {
      const [a, b] = [Array.from(prediction), Array.from(reference)];
      if (a.length + b.length === 0) return 1;
      return distance === "indel"
        ? (2 * commonSubsequence(a, b)) / (a.length + b.length)
        : 1 - editDistance(a, b) / Math.max(a.length, b.length);
    }),
});
