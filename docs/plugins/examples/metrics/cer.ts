import { getMetric } from "codex-ml/registry";

const metric = await getMetric("cer");
metric.update({
  labels: new Int32Array(), // none: it compares texts
  texts: { prediction: "while", references: ["whale"] },
});
console.log(metric.compute()); // one character replaced, of 5
