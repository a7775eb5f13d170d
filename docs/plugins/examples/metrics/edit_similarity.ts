import { getMetric } from "codex-ml/registry";

const metric = await getMetric("edit_similarity");
metric.update({
  labels: new Int32Array(), // none: it compares texts
  texts: { prediction: "return sum", references: ["return num"] },
});
console.log(metric.compute()); // one character replaced, of 10: 1 − 1/10
