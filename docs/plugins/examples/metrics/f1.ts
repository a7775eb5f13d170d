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

const metric = await getMetric("f1", { average: "none" });
for (const { label, predicted } of emails)
  metric.update({
    classes,
    labels: Int32Array.of(classes.indexOf(label)),
    predictedIds: Int32Array.of(classes.indexOf(predicted)),
  });
// Of spam, precision is 3/4 and recall 3/6: 2 · 3/4 · 3/6 / (3/4 + 3/6). Of ham, they are 2/5 and 2/3.
console.log(metric.compute());

// By default it is the mean over the classes.
const mean = await getMetric("f1");
mean.merge(metric.state());
console.log(mean.compute());
