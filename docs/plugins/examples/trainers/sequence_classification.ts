import { train } from "codex-ml";

const words = { good: ["good", "great", "fine", "lovely"], bad: ["bad", "awful", "poor", "sad"] };
const things = ["book", "film", "song", "meal", "walk"];
const examples = Object.entries(words).flatMap(([label, words]) =>
  words.flatMap((word) => things.map((thing) => ({ text: `a ${word} ${thing}`, label }))),
);

// A fifth of the texts is held out.
const run = await train({
  tokenizer: { name: "whitespace", minFrequency: 1 },
  data: { name: "memory", examples, columns: { label: "label" }, validation: 0.2 },
  model: { name: "embedding_bag", hiddenSize: 16 },
  trainer: {
    name: "sequence_classification",
    maxSteps: 40,
    batchSize: 8,
    sequenceLength: 8,
    learningRate: 0.1,
  },
  metrics: ["accuracy", { name: "f1", average: "none" }],
});

for await (const event of run) {
  if (event.type === "step" && (event.step === 1 || event.step === 40))
    console.log("step", event.step, "loss", event.loss.toFixed(2));
  if (event.type === "evaluation" && event.step === 40) console.log(event.metrics);
}
