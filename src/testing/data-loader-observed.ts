import type { DataLoader, Example, ExampleRequest, Split } from "../data-loaders/index.ts";
import { byte } from "../tokenizers/byte.ts";
import { type Tokenizer, tokenizers } from "../tokenizers/index.ts";
import type { Observation } from "./difference.ts";
import { Subject } from "./subject.ts";

/** What a data loader is asked for. */
export interface DataLoaderSamples {
  /** T of the requests. Default 32. */
  readonly sequenceLength?: number;
  /** Most examples that are read of an epoch. Default 1000. */
  readonly maxExamples?: number;
}

/** Which examples: the rest of a request is the same in all checks. */
export type Place = Pick<ExampleRequest, "seed" | "epoch" | "shuffle" | "start">;

const firstPlace: Place = { seed: 1, epoch: 0, shuffle: true, start: 0 };

/** Built afresh where nothing was given, so that no loader finds ids that another one kept for the tokenizer. */
export function byteTokenizer(): Promise<Tokenizer> {
  return new Subject(tokenizers, byte).build();
}

/** An example as a value that can be compared. */
function contentOf(example: Example): unknown {
  const label = example.label !== undefined && { label: example.label };
  if ("text" in example) {
    const { text, textPair } = example;
    return { text, ...(textPair !== undefined && { textPair }), ...label };
  }
  const { inputIds, labels, documentIds } = example;
  return {
    inputIds: Array.from(inputIds),
    ...(labels && { labels: Array.from(labels) }),
    ...(documentIds && { documentIds: Array.from(documentIds) }),
    ...label,
  };
}

/** How a run reads a split: only training is in mixed order. */
export function ordersOf(split: Split): readonly boolean[] {
  return split === "train" ? [true, false] : [false];
}

/** Reads examples of a loader, at most so many, and copies them. */
export class Reading {
  readonly tokenizer: Tokenizer;
  readonly sequenceLength: number;
  readonly #most: number;

  constructor(tokenizer: Tokenizer, { sequenceLength = 32, maxExamples = 1000 }: DataLoaderSamples) {
    this.tokenizer = tokenizer;
    this.sequenceLength = sequenceLength;
    this.#most = maxExamples;
  }

  async examples(loader: DataLoader, split: Split, place: Partial<Place> = {}): Promise<Example[]> {
    const { tokenizer, sequenceLength } = this;
    const examples: Example[] = [];
    const request = { tokenizer, sequenceLength, ...firstPlace, ...place };
    for await (const example of loader.examples(split, request)) {
      examples.push(example);
      if (examples.length === this.#most) break;
    }
    return examples;
  }

  async contents(loader: DataLoader, split: Split, place: Partial<Place> = {}): Promise<unknown[]> {
    return (await this.examples(loader, split, place)).map(contentOf);
  }
}

/** Fingerprint, and the examples of every split: what loaders of equal data have in common. */
export async function observeDataLoader(
  loader: DataLoader,
  samples: DataLoaderSamples,
  tokenizer?: Tokenizer,
): Promise<Observation> {
  const reading = new Reading(tokenizer ?? (await byteTokenizer()), samples);
  const examples: Record<string, unknown> = {};
  for (const split of loader.splits)
    for (const shuffle of ordersOf(split))
      examples[`${split} ${shuffle ? "shuffled" : "in order"}`] = await reading.contents(loader, split, {
        shuffle,
        epoch: 1,
      });
  const labels = await loader.labels?.();
  return {
    splits: loader.splits,
    fingerprint: await loader.fingerprint(),
    ...(labels && { labels }),
    ...examples,
  };
}
