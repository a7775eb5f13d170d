import { train } from "codex-ml";

// A text that says the same again and again is learned in seconds.
const run = await train({
  tokenizer: { name: "bpe", vocabSize: 270 },
  data: { name: "memory", examples: ["one two three four five ".repeat(200)], validation: 0 },
  model: {
    name: "gpt2",
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    hiddenSize: 32,
    maxPositionEmbeddings: 16,
  },
  trainer: { name: "causal_lm", maxSteps: 60, batchSize: 8, learningRate: 1e-2, sampleTokens: 0 },
});

// At first it knows nothing: the loss is ln 270, as if each of the 270 ids came as often.
for await (const event of run)
  if (event.type === "step" && (event.step === 1 || event.step === 60))
    console.log("step", event.step, "loss", event.loss.toFixed(1));

const trained = await run.load(); // from runs/run-…, where it saved itself
let text = "one two";
for await (const piece of trained.generate(text, { maxNewTokens: 8, temperature: 0, seed: 1 })) text += piece;
console.log(text);
