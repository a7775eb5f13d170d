import { getMetric } from "codex-ml/registry";

// Four emails: what they are, and how likely a classifier thought spam.
const classes = ["ham", "spam"];
const emails = [
  { label: "spam", spam: 0.9 },
  { label: "spam", spam: 0.9 },
  { label: "spam", spam: 0.7 },
  { label: "ham", spam: 0.7 },
];

const metric = await getMetric("expected_calibration_error");
for (const { label, spam } of emails)
  metric.update({
    classes,
    labels: Int32Array.of(classes.indexOf(label)),
    probabilities: Float64Array.of(1 - spam, spam),
  });
// Of the two that it was sure of at 0.9, all are right; at 0.7 one of two: (|1 − 0.9| + |0.5 − 0.7|) / 2.
console.log(Number(metric.compute()).toFixed(2));
