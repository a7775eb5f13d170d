import type { DataLoader, Example } from "../../src/data-loaders/index.ts";
import { gpt2 } from "../../src/models/gpt2.ts";
import type { Model } from "../../src/models/index.ts";
import { Random } from "../../src/tensor/index.ts";
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
