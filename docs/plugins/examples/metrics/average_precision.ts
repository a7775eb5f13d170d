import { getMetric } from "codex-ml/registry";

// Four emails: what they are, and how likely a classifier thought spam.
const classes = ["ham", "spam"];
const emails = [
  { label: "ham", spam: 0.1 },
  { label: "ham", spam: 0.4 },
  { label: "spam", spam: 0.35 },
  { label: "spam", spam: 0.8 },
];

const metric = await getMetric("average_precision", { positive: "spam" });
for (const { label, spam } of emails)
  metric.update({
    classes,
    labels: Int32Array.of(classes.indexOf(label)),
    probabilities: Float64Array.of(1 - spam, spam),
  });
// From the top, the first spam comes first (precision 1/1), the second one third (2/3): their mean.
console.log(Number(metric.compute()).toFixed(4));
