/** A text and a run that train in a fraction of a second. */
import type { RunConfigInput } from "../../src/run/config.ts";

const animals = ["the old cat", "the red dog", "a shy owl", "the big hen", "a wet fox", "the young pig"];
const verbs = ["sees", "meets", "follows", "wakes"];

/** Made-up lines, the same every time. */
export function sentences(count: number, from = 0): string {
  const pick = (words: readonly string[], index: number) => words[index % words.length];
  return Array.from({ length: count }, (_, line) => {
    const at = line + from;
    return `${pick(animals, at)} ${pick(verbs, at * 3 + Math.floor(at / 7))} ${pick(animals, at * 5 + 2)}.\n`;
  }).join("");
}

/** About 4 KB. */
export const corpus = sentences(150);

export const tinyModel = {
  name: "gpt2",
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  hiddenSize: 16,
  maxPositionEmbeddings: 16,
};

export const tinyTrainer = {
  name: "causal_lm",
  maxSteps: 12,
  batchSize: 4,
  learningRate: 0.01,
  evalSteps: 6,
  sampleTokens: 8,
};

export const tinyRun = {
  tokenizer: "byte",
  data: { name: "text", path: "corpus.txt", validation: 0.1 },
  model: tinyModel,
  trainer: tinyTrainer,
  metrics: ["perplexity", "bits_per_byte", "token_accuracy"],
} satisfies RunConfigInput;

/** The same, as a person writes it. The tests of error messages count its lines and columns. */
export const tinyYaml = `seed: 1337
tokenizer: byte
data: { name: text, path: corpus.txt, validation: 0.1 }
model:
  name: gpt2
  numHiddenLayers: 1
  numAttentionHeads: 2
  hiddenSize: 16
  maxPositionEmbeddings: 16
trainer:
  name: causal_lm
  maxSteps: 12
  batchSize: 4
  learningRate: 0.01
  evalSteps: 6
  sampleTokens: 8
metrics: [perplexity, bits_per_byte, token_accuracy]
`;
