import { getMetric } from "codex-ml/registry";

// Four emails: what they are, and how likely a classifier thought spam.
const classes = ["ham", "spam"];
const emails = [
  { label: "ham", spam: 0.1 },
  { label: "ham", spam: 0.4 },
  { label: "spam", spam: 0.35 },
  { label: "spam", spam: 0.8 },
];

const metric = await getMetric("roc_auc", { positive: "spam" });
for (const { label, spam } of emails)
  metric.update({
    classes,
    labels: Int32Array.of(classes.indexOf(label)),
    probabilities: Float64Array.of(1 - spam, spam),
  });
// Of the 4 pairs of one spam and one ham, 3 are in the right order: all but 0.35 and 0.4.
console.log(metric.compute());
