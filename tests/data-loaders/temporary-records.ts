import { createHash } from "node:crypto";
import type { DataLoader, Example, ExampleRequest, Split } from "../../src/data-loaders/index.ts";
import { dataLoaderRegistry } from "../../src/data-loaders/index.ts";
import { collect, directory, tokenizer } from "./temporary-corpus.ts";

/** A loader in the test's folder; without `cache`, in memory. */
export function open(name: string, options: object): Promise<DataLoader> {
  return dataLoaderRegistry.create(name, { cache: false, ...options }, { directory });
}

export function request(over: Partial<ExampleRequest> = {}): ExampleRequest {
  return { tokenizer, sequenceLength: 16, seed: 1, epoch: 0, shuffle: false, start: 0, ...over };
}

export function examplesOf(
  loader: DataLoader,
  split: Split = "train",
  over: Partial<ExampleRequest> = {},
): Promise<Example[]> {
  return collect(loader.examples(split, request(over)));
}

export function textsOf(loader: DataLoader, split: Split = "train"): Promise<string[]> {
  return collect(loader.texts(split));
}

/** Ids of the byte tokenizer as text; ¶ is its end-of-text id. */
export function spell(example: Example): string {
  if ("text" in example) return example.text;
  return Array.from(example.inputIds, (id) => (id === 256 ? "¶" : String.fromCharCode(id))).join("");
}

/** Words that are different for every number. */
export function words(number: number): string {
  return createHash("md5")
    .update(String(number))
    .digest("hex")
    .replaceAll(/(.{4})/g, "$1 ")
    .trim();
}
