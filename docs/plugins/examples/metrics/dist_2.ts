import { getMetric } from "codex-ml/registry";

const metric = await getMetric("dist_2");
metric.update({
  labels: new Int32Array(), // none: it looks at texts
  texts: { prediction: "the cat saw the cat", references: [""] }, // and not at references
});
console.log(metric.compute()); // 3 distinct pairs among 4: "the cat" comes twice
