import { getMetric } from "codex-ml/registry";

// Six tickets: what they are, and what a classifier took them for.
const classes = ["bug", "question", "wish"];
const tickets = [
  { label: "bug", predicted: "bug" },
  { label: "bug", predicted: "bug" },
  { label: "bug", predicted: "question" },
  { label: "question", predicted: "question" },
  { label: "wish", predicted: "wish" },
  { label: "wish", predicted: "question" },
];

const metric = await getMetric("confusion_matrix");
for (const { label, predicted } of tickets)
  metric.update({
    classes,
    labels: Int32Array.of(classes.indexOf(label)),
    predictedIds: Int32Array.of(classes.indexOf(predicted)),
  });
console.log(metric.compute()); // for each class as it is, how often it was predicted as each
