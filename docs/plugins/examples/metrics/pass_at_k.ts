import { getMetric } from "codex-ml/registry";

// Two tasks, four programs written for each: which of them passed the tests?
const attempts = [
  { task: "add", passed: [true, true, true, false] },
  { task: "sort", passed: [false, false, true, false] },
];

const metric = await getMetric("pass_at_k", { k: [1, 2] });
for (const { task, passed } of attempts)
  for (const one of passed) metric.update({ labels: new Int32Array(), outcome: { task, passed: one } });
// One try: 3/4 and 1/4. The better of two: surely, as only one failed; and 3 of the 6 pairs of "sort" hold its pass.
console.log(metric.compute());
