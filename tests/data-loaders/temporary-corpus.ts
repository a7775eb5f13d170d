import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import {
  type DataLoader,
  dataLoaderRegistry,
  type ExampleRequest,
  type Split,
} from "../../src/data-loaders/index.ts";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";

/** A folder of its own for each test of the file that imports this. */
export let directory: string;
export let tokenizer: Tokenizer;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "codex-ml-text-"));
  tokenizer = await getTokenizer("byte");
});
afterEach(() => rm(directory, { recursive: true }));

export async function write(name: string, content: string | Uint8Array): Promise<void> {
  const path = join(directory, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

export function load(options: object): Promise<DataLoader> {
  return dataLoaderRegistry.create("text", options, { directory });
}

/** A loader of one file with this text. */
export async function loaderOf(
  text: string | Uint8Array,
  validation: number | string = 0,
): Promise<DataLoader> {
  await write("corpus.txt", text);
  return load({ path: "corpus.txt", validation });
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function read(loader: DataLoader, split: Split): Promise<string> {
  return (await collect(loader.texts(split))).join("");
}

export async function idsOf(
  loader: DataLoader,
  split: Split,
  request: Partial<ExampleRequest> = {},
): Promise<number[][]> {
  const whole = { tokenizer, sequenceLength: 8, seed: 1, epoch: 0, shuffle: true, start: 0, ...request };
  const examples = await collect(loader.examples(split, whole));
  return examples.map((example) => ("text" in example ? [] : Array.from(example.inputIds)));
}

/** 100 bytes, each of which tells where it stands. */
export const numbered = Array.from({ length: 100 }, (_, i) => String.fromCharCode(i + 20)).join("");
