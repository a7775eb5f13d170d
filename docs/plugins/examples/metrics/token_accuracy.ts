import { getMetric } from "codex-ml/registry";

const metric = await getMetric("token_accuracy");
// Two sequences of token ids: what comes next at each position, and what the model thought most likely.
metric.update({ labels: Int32Array.of(11, 4, 27), predictedIds: Int32Array.of(11, 4, 3) });
metric.update({ labels: Int32Array.of(8, 15), predictedIds: Int32Array.of(9, 15) });
console.log(metric.compute()); // 3 of 5 tokens are right, wherever sequences end
