import { getMetric } from "codex-ml/registry";

// Nine emails: what they are, and what a classifier took them for.
const classes = ["ham", "spam"];
const emails = [
  { label: "spam", predicted: "spam" },
  { label: "spam", predicted: "spam" },
  { label: "spam", predicted: "spam" },
  { label: "spam", predicted: "ham" },
  { label: "spam", predicted: "ham" },
  { label: "spam", predicted: "ham" },
  { label: "ham", predicted: "spam" },
  { label: "ham", predicted: "ham" },
  { label: "ham", predicted: "ham" },
];

const metric = await getMetric("precision", { average: "binary", positive: "spam" });
for (const { label, predicted } of emails)
  metric.update({
    classes,
    labels: Int32Array.of(classes.indexOf(label)),
    predictedIds: Int32Array.of(classes.indexOf(predicted)),
  });
console.log(metric.compute()); // 4 were taken for spam, and 3 of these are
