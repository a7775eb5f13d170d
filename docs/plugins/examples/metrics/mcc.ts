import { getMetric } from "codex-ml/registry";

// Eight emails: what they are, and what a classifier took them for.
const classes = ["ham", "spam"];
const emails = [
  { label: "spam", predicted: "spam" },
  { label: "spam", predicted: "spam" },
  { label: "spam", predicted: "spam" },
  { label: "spam", predicted: "ham" },
  { label: "ham", predicted: "spam" },
  { label: "ham", predicted: "ham" },
  { label: "ham", predicted: "ham" },
  { label: "ham", predicted: "ham" },
];

const metric = await getMetric("mcc");
for (const { label, predicted } of emails)
  metric.update({
    classes,
    labels: Int32Array.of(classes.indexOf(label)),
    predictedIds: Int32Array.of(classes.indexOf(predicted)),
  });
// (3 · 3 − 1 · 1) / √(4 · 4 · 4 · 4): right pairs less wrong ones, over the sizes of the four groups.
console.log(metric.compute().toFixed(3));
