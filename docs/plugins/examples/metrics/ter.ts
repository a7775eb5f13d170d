import { getMetric } from "codex-ml/registry";

const metric = await getMetric("ter");
metric.update({
  labels: new Int32Array(), // none: it compares texts
  texts: { prediction: "on the mat the cat sat", references: ["the cat sat on the mat"] },
});
// One move of three words makes them the same: 1 edit for the 6 words of the reference, in percent.
console.log(Number(metric.compute()).toFixed(2));
