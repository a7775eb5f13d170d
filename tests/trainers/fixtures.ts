import type { DataLoader, Example } from "../../src/data-loaders/index.ts";
import { gpt2 } from "../../src/models/gpt2.ts";
import type { Model, ModelInputs, ModelOutputs, Task } from "../../src/models/index.ts";
import { Embedding, Linear, Module, normal } from "../../src/nn/index.ts";
import {
  add,
  cast,
  type Dim,
  div,
  minimum,
  mul,
  Random,
  reduceSum,
  reshape,
  tanh,
} from "../../src/tensor/index.ts";
import type { Tokenizer } from "../../src/tokenizers/index.ts";

/** A small GPT-2 with validated options. */
export async function smallGpt(options: Record<string, unknown> = {}): Promise<Model> {
  const given = {
    vocabSize: 20,
    hiddenSize: 16,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    maxPositionEmbeddings: 8,
    ...options,
  };
  const result = await gpt2.options?.["~standard"].validate(given);
  if (!result || result.issues) throw new Error(JSON.stringify(result?.issues));
  return gpt2.create(result.value, { directory: "." });
}

/** Ids as text: "3 1 4". */
export const numberTokenizer: Tokenizer = {
  vocabSize: 20,
  encode: (text) => Int32Array.from(text.split(" ").filter(Boolean), Number),
  decode: (ids) => [...ids].join(" "),
};

/** Examples from memory; with `shuffle`, in an order of seed and epoch. */
export function memoryLoader(train: readonly Example[], validation: readonly Example[] = []): DataLoader {
  return {
    splits: validation.length > 0 ? ["train", "validation"] : ["train"],
    async *texts(split) {
      for (const example of split === "train" ? train : validation) if ("text" in example) yield example.text;
    },
    async *examples(split, { seed, epoch, shuffle, start }) {
      const examples = split === "train" ? train : validation;
      const order = shuffle
        ? [...new Random(seed, epoch).permutation(examples.length)]
        : [...examples.keys()];
      for (const index of order.slice(start)) yield examples[index] as Example;
    },
    fingerprint: async () => JSON.stringify([train, validation]),
  };
}

/** Sequences of random ids. */
export function randomExamples(
  count: number,
  lengths: (random: Random) => number,
  seed = 1,
): { inputIds: Int32Array }[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => ({
    inputIds: Int32Array.from({ length: lengths(random) }, () => random.integer(20)),
  }));
}

/** Everything that an iterable yields. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

/** The same with the special tokens of an encoder: [PAD] 0, [CLS] 1, [SEP] 2, [MASK] 3. */
export const encoderTokenizer: Tokenizer = {
  ...numberTokenizer,
  specialTokens: { "[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[MASK]": 3 },
  padTokenId: 0,
  clsTokenId: 1,
  sepTokenId: 2,
  maskTokenId: 3,
};

/** A bag of embeddings: a classifier when it has `labels`, else a guesser of hidden tokens. */
export class BagModel extends Module implements Model {
  readonly task: Task;
  readonly vocabSize = 20;
  readonly maxPositionEmbeddings = Number.POSITIVE_INFINITY;
  readonly config = { model_type: "bag" };
  readonly embedding = new Embedding(20, 8, normal(0.5));
  readonly layers: readonly [Linear];
  readonly head: Linear;

  constructor(readonly labels?: readonly string[]) {
    super();
    this.task = labels === undefined ? "masked_lm" : "sequence_classification";
    this.layers = [new Linear(8, 8)];
    this.head = new Linear(8, labels?.length ?? 20);
  }

  forward({ inputIds, attentionMask }: ModelInputs): ModelOutputs {
    if (attentionMask === undefined) throw new Error("padding must be told");
    const [B, T] = inputIds.shape as [Dim, Dim];
    const mask = reshape(cast(minimum(attentionMask, 1), "float32"), [B, T, 1]);
    const words = mul(this.embedding.forward(inputIds), mask);
    const mean = div(
      reduceSum(words, { axes: [1], keepDims: true }),
      add(reduceSum(mask, { axes: [1], keepDims: true }), 1e-6),
    );
    const bag = tanh(this.layers[0].forward(mean));
    if (this.labels === undefined) return { logits: this.head.forward(add(words, bag)) };
    return { logits: this.head.forward(reshape(bag, [B, 8])) };
  }
}
