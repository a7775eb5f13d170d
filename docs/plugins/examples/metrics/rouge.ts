import { getMetric } from "codex-ml/registry";

const metric = await getMetric("rouge", { types: ["rouge1", "rouge2", "rougeL"] });
metric.update({
  labels: new Int32Array(), // none: it compares texts
  texts: { prediction: "the cat lay on the mat", references: ["the cat sat on the mat"] },
});
// 5 of 6 words are in both, 3 of 5 pairs, and the longest common subsequence has 5 words.
for (const [type, value] of Object.entries(metric.compute())) console.log(type, value.toFixed(4));
