import { getMetric } from "codex-ml/registry";

const metric = await getMetric("chrf", { charOrder: 2 });
metric.update({
  labels: new Int32Array(), // none: it compares texts
  texts: { prediction: "cat", references: ["cart"] },
});
// Characters: precision 3/3, recall 3/4. Pairs (ca, at; ca, ar, rt): precision 1/2, recall 1/3. Their means are
// P = 3/4 and R = 13/24, and recall weighs double (beta 2): 5 · P · R / (4 · P + R), in percent.
console.log(Number(metric.compute()).toFixed(2));
