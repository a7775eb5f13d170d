import type { DataLoader, Split } from "../data-loaders/index.ts";
import { metrics } from "../metrics/index.ts";
import { perplexity } from "../metrics/perplexity.ts";
import { tokenAccuracy } from "../metrics/token-accuracy.ts";
import { bert } from "../models/bert.ts";
import { embeddingBag } from "../models/embedding-bag.ts";
import { gpt2 } from "../models/gpt2.ts";
import { type Model, models, type Task } from "../models/index.ts";
import type { Factory } from "../registry/index.ts";
import { Random } from "../tensor/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import type { NamedMetric } from "../trainers/index.ts";
import { Subject } from "./subject.ts";

/** The other components of a run. Made anew for each training: a trainer may change them. */
export interface TrainingComponents {
  readonly tokenizer: Tokenizer;
  readonly model: Model;
  readonly data: DataLoader;
  readonly metrics: readonly NamedMetric[];
}

/** What is counted: the letters in order, over and over. After three steps of any trainer some of it is learned. */
const alphabet = "abcdefgh";

const tokenizer: Tokenizer = {
  vocabSize: alphabet.length + 1,
  eosTokenId: alphabet.length,
  specialTokens: { "<|endoftext|>": alphabet.length },
  encode: (text) => Int32Array.from(text, (letter) => Math.max(0, alphabet.indexOf(letter))),
  decode: (ids) => Array.from(ids, (id) => alphabet[id] ?? "").join(""),
  byteLength: (id) => (id < alphabet.length ? 1 : 0),
};

/** The same with what encoders read around a text and what hides a word of it. */
const encoderTokenizer: Tokenizer = {
  ...tokenizer,
  vocabSize: alphabet.length + 5,
  specialTokens: { "<|endoftext|>": 8, "[PAD]": 9, "[CLS]": 10, "[SEP]": 11, "[MASK]": 12 },
  padTokenId: 9,
  clsTokenId: 10,
  sepTokenId: 11,
  maskTokenId: 12,
};

/** Texts from memory, in an order that seed and epoch decide; with a label each, when `labelOf` gives one. */
export function memoryLoader(
  texts: Readonly<Partial<Record<Split, readonly string[]>>>,
  labelOf?: (text: string) => string,
): DataLoader {
  const of = (split: Split) => texts[split] ?? [];
  return {
    splits: (["train", "validation", "test"] as const).filter((split) => texts[split] !== undefined),
    async *texts(split) {
      yield* of(split);
    },
    async *examples(split, { seed, epoch, shuffle, start }) {
      const order = shuffle
        ? new Random(seed, epoch).permutation(of(split).length)
        : Uint32Array.from(of(split).keys());
      for (const index of order.subarray(start)) {
        const text = of(split)[index] ?? "";
        yield labelOf === undefined ? { text } : { text, label: labelOf(text) };
      }
    },
    ...(labelOf && { labels: async () => [...new Set((texts.train ?? []).map(labelOf))].sort() }),
    fingerprint: async () => JSON.stringify(texts),
  };
}

/** Text `index` of 40, from another letter on each, and of another length. */
function text(index: number): string {
  return Array.from({ length: 6 + (index % 5) }, (_, at) => alphabet[(index + at) % alphabet.length]).join(
    "",
  );
}

const texts = {
  train: Array.from({ length: 40 }, (_, index) => text(index)),
  validation: Array.from({ length: 5 }, (_, index) => text(index + 3)),
};

/** Whether a text begins in the first half of the alphabet or in the second. */
function half(given: string): string {
  return given.charAt(0) < "e" ? "early" : "late";
}

/** A model of about 2,000 numbers for a task, with what it learns: the order of eight letters, or where a text begins. */
export async function tinyTraining(task: Task = "causal_lm"): Promise<TrainingComponents> {
  const size = { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, maxPositionEmbeddings: 12 };
  const build = (factory: Factory<Model>, options: Readonly<Record<string, unknown>>) =>
    new Subject(models, factory, { options }).build();
  const accuracy = { name: "token_accuracy", metric: await new Subject(metrics, tokenAccuracy).build() };
  if (task === "sequence_classification")
    return {
      tokenizer: encoderTokenizer,
      data: memoryLoader(texts, half),
      model: await build(embeddingBag, {
        vocabSize: encoderTokenizer.vocabSize,
        labels: ["early", "late"],
        hiddenSize: 16,
      }),
      metrics: [accuracy],
    };
  const { vocabSize } = task === "masked_lm" ? encoderTokenizer : tokenizer;
  const named = { name: "perplexity", metric: await new Subject(metrics, perplexity).build() };
  const shape = { ...size, vocabSize, initializerRange: 0.2 };
  return {
    tokenizer: task === "masked_lm" ? encoderTokenizer : tokenizer,
    data: memoryLoader(texts),
    model: await (task === "masked_lm"
      ? build(bert, { ...shape, intermediateSize: 32 })
      : build(gpt2, { ...shape, maxPositionEmbeddings: 10 })),
    metrics: [named, accuracy],
  };
}
