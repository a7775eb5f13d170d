import { getMetric } from "codex-ml/registry";

const metric = await getMetric("perplexity");
// Three tokens that the model gave the probabilities 1/2, 1/4 and 1/8. The loss of a token is −ln of that.
const probabilities = [1 / 2, 1 / 4, 1 / 8];
metric.update({
  labels: Int32Array.of(11, 4, 27),
  tokenLosses: Float32Array.from(probabilities, (probability) => -Math.log(probability)),
});
// As unsure as if each token had been one of four: the mean loss is ln 4.
console.log(metric.compute().toFixed(2));
