import { getMetric } from "codex-ml/registry";

// Four tickets: what they are, and the two classes that a classifier thought most likely.
const classes = ["bug", "question", "wish"];
const tickets = [
  { label: "bug", likely: ["bug", "wish"] },
  { label: "question", likely: ["bug", "question"] },
  { label: "wish", likely: ["bug", "question"] },
  { label: "wish", likely: ["wish", "bug"] },
];

const metric = await getMetric("top_k_accuracy", { k: 2 });
for (const { label, likely } of tickets)
  metric.update({
    classes,
    labels: Int32Array.of(classes.indexOf(label)),
    topIds: Int32Array.from(likely, (name) => classes.indexOf(name)),
  });
console.log(metric.compute()); // 3 of 4 are among the two
