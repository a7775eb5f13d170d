import type { DataLoader, Split } from "../data-loaders/index.ts";
import { metrics } from "../metrics/index.ts";
import { perplexity } from "../metrics/perplexity.ts";
import { tokenAccuracy } from "../metrics/token-accuracy.ts";
import { gpt2 } from "../models/gpt2.ts";
import { type Model, models } from "../models/index.ts";
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

/** Texts from memory, in an order that seed and epoch decide. */
export function memoryLoader(texts: Readonly<Partial<Record<Split, readonly string[]>>>): DataLoader {
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
      for (const index of order.subarray(start)) yield { text: of(split)[index] ?? "" };
    },
    fingerprint: async () => JSON.stringify(texts),
  };
}

/** Text `index` of 40, from another letter on each, and of another length. */
function text(index: number): string {
  return Array.from({ length: 6 + (index % 5) }, (_, at) => alphabet[(index + at) % alphabet.length]).join(
    "",
  );
}

const data = memoryLoader({
  train: Array.from({ length: 40 }, (_, index) => text(index)),
  validation: Array.from({ length: 5 }, (_, index) => text(index + 3)),
});

/** A GPT-2 of about 2,000 numbers that learns the order of eight letters. */
export async function tinyTraining(): Promise<TrainingComponents> {
  const { vocabSize } = tokenizer;
  const size = { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, maxPositionEmbeddings: 10 };
  const options = { vocabSize, initializerRange: 0.2, ...size };
  return {
    tokenizer,
    data,
    model: await new Subject(models, gpt2, { options }).build(),
    metrics: [
      { name: "perplexity", metric: await new Subject(metrics, perplexity).build() },
      { name: "token_accuracy", metric: await new Subject(metrics, tokenAccuracy).build() },
    ],
  };
}
