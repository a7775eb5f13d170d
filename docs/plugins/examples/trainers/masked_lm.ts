import { train } from "codex-ml";

const week = "monday tuesday wednesday thursday friday saturday sunday";

// Hides some of the tokens, 15 % by default, and learns to guess them from the others.
const run = await train({
  tokenizer: "wordpiece",
  data: {
    name: "memory",
    examples: Array.from({ length: 32 }, () => week),
    validation: [week],
    packing: false,
  },
  model: { name: "bert", numHiddenLayers: 1, numAttentionHeads: 2, hiddenSize: 32, intermediateSize: 64 },
  trainer: { name: "masked_lm", maxSteps: 60, batchSize: 16, sequenceLength: 16, learningRate: 1e-2 },
  metrics: ["token_accuracy"],
});

for await (const event of run) {
  if (event.type === "step" && (event.step === 1 || event.step === 60))
    console.log("step", event.step, "loss", event.loss.toFixed(1));
  if (event.type === "evaluation" && event.step === 60) console.log(event.metrics);
}
