import { getMetric } from "codex-ml/registry";

const metric = await getMetric("squad_f1");
metric.update({
  labels: new Int32Array(), // none: it compares texts
  texts: { prediction: "the black cat sat", references: ["a black cat"] },
});
// Of black, cat and sat, 2 of 3 are right (articles do not count), and both expected words are there:
// 2 · 2/3 · 1 / (2/3 + 1), in percent.
console.log(Number(metric.compute()).toFixed(1));
