import { getMetric } from "codex-ml/registry";

// Four emails: what they are, and what a classifier took them for.
const classes = ["ham", "spam"];
const emails = [
  { label: "spam", predicted: "spam" },
  { label: "ham", predicted: "ham" },
  { label: "ham", predicted: "spam" },
  { label: "ham", predicted: "ham" },
];

const metric = await getMetric("accuracy");
for (const { label, predicted } of emails)
  metric.update({
    classes,
    labels: Int32Array.of(classes.indexOf(label)),
    predictedIds: Int32Array.of(classes.indexOf(predicted)),
  });
console.log(metric.compute()); // 3 of 4 are right
