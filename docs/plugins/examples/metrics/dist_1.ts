import { getMetric } from "codex-ml/registry";

const metric = await getMetric("dist_1");
metric.update({
  labels: new Int32Array(), // none: it looks at texts
  texts: { prediction: "the cat saw the cat", references: [""] }, // and not at references
});
console.log(metric.compute()); // 3 distinct words among 5
