import { getMetric } from "codex-ml/registry";

const metric = await getMetric("bits_per_byte");
// " Call" (5 bytes) and " me" (3 bytes), which the model gave the probabilities 1/64 and 1/4: 6 and 2 bits.
metric.update({
  labels: Int32Array.of(11, 4),
  labelBytes: Int32Array.of(5, 3),
  tokenLosses: Float32Array.of(-Math.log(1 / 64), -Math.log(1 / 4)),
});
console.log(metric.compute().toFixed(2)); // 8 bits for 8 bytes
