import { Random } from "../tensor/random.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import type { DataLoader, Example, ExampleRequest, Split } from "./index.ts";
import { checkStart } from "./windows.ts";

/** Tells the draw of the order from all other draws with the run's seed. */
const ORDER = 0x6c696d;

/** The first examples of each split, as a loader gives them in order; read once a split and kept in memory. */
class FirstExamples {
  readonly #data: DataLoader;
  readonly #count: number;
  readonly #kept = new WeakMap<Tokenizer, Map<string, Promise<readonly Example[]>>>();

  constructor(data: DataLoader, count: number) {
    this.#data = data;
    this.#count = count;
  }

  of(split: Split, { tokenizer, sequenceLength, seed }: ExampleRequest): Promise<readonly Example[]> {
    const kept = this.#kept.get(tokenizer) ?? new Map<string, Promise<readonly Example[]>>();
    this.#kept.set(tokenizer, kept);
    const key = `${split} ${sequenceLength}`;
    let examples = kept.get(key);
    if (examples === undefined) {
      const request = { tokenizer, sequenceLength, seed, epoch: 0, shuffle: false, start: 0 };
      examples = first(this.#data.examples(split, request), this.#count);
      kept.set(key, examples);
      examples.catch(() => kept.delete(key)); // what failed may be tried again
    }
    return examples;
  }
}

async function first(source: AsyncIterable<Example>, count: number): Promise<readonly Example[]> {
  const examples: Example[] = [];
  for await (const example of source) {
    examples.push(example);
    if (examples.length === count) break;
  }
  return examples;
}

/** What of a loader does not depend on how much of it is read. */
function rest(data: DataLoader): Pick<DataLoader, "fingerprint" | "labels" | "notes"> {
  return {
    fingerprint: () => data.fingerprint(),
    ...(data.labels && { labels: async () => (await data.labels?.()) ?? [] }),
    ...(data.notes && { notes: () => data.notes?.() ?? [] }),
  };
}

/**
 * A loader as though each of its splits ended after `count` examples, and after as many texts for a tokenizer to learn from: the
 * first ones in the order of the data. Training mixes those anew in each epoch. Classes are those of the whole data.
 */
export function limited(data: DataLoader, count: number): DataLoader {
  const examples = new FirstExamples(data, count);
  return {
    ...rest(data),
    splits: data.splits,
    async *texts(split) {
      let left = count;
      for await (const text of data.texts(split)) {
        yield text;
        if (--left === 0) return;
      }
    },
    async *examples(split, request) {
      const { seed, epoch, shuffle, start } = request;
      checkStart(start);
      const kept = await examples.of(split, request);
      const order = shuffle ? [...new Random(seed, epoch, ORDER).permutation(kept.length)] : [...kept.keys()];
      for (const index of order.slice(start)) yield kept[index] as Example;
    },
  };
}

/**
 * A loader whose every pass gives the same `count` examples in the same order, for training and for validation: the first ones of
 * the training split. A tokenizer learns from all of it.
 */
export function repeated(data: DataLoader, count: number): DataLoader {
  const examples = new FirstExamples(data, count);
  return {
    ...rest(data),
    splits: ["train", "validation"],
    texts: () => data.texts("train"),
    async *examples(_, request) {
      checkStart(request.start);
      yield* (await examples.of("train", request)).slice(request.start);
    },
  };
}
