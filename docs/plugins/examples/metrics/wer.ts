import { getMetric } from "codex-ml/registry";

const metric = await getMetric("wer");
metric.update({
  labels: new Int32Array(), // none: it compares texts
  texts: { prediction: "call me ishmael four years ago", references: ["call me ishmael some years"] },
});
console.log(metric.compute()); // one word replaced, one inserted, for 5 words
