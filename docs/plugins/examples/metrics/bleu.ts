import { getMetric } from "codex-ml/registry";

const metric = await getMetric("bleu");
metric.update({
  labels: new Int32Array(), // none: it compares texts
  texts: { prediction: "the cat sat on the mat", references: ["the cat sat on a mat"] },
});
// Of 6 words 5 match, of 5 pairs 3, of 4 triples 2, of 3 runs of four 1, and the length is right:
// the fourth root of 5/6 · 3/5 · 2/4 · 1/3, in percent.
console.log(Number(metric.compute()).toFixed(2));
