import type { DataLoader, Split } from "../data-loaders/index.ts";
import type { Task } from "../models/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import type { WarningEvent } from "../trainers/index.ts";
import { digestOf } from "./data-duplicates.ts";

/** Most texts of the validation split to remember, and most of the training split to compare with them. */
const REMEMBERED = 10_000;
const COMPARED = 100_000;

/** Most characters to read of either: a few hundred milliseconds. */
const CHARACTERS = 1 << 26;

/** Share of the validation texts from which on it matters. */
const SHARE = 0.01;

/**
 * `OVERLAP`: texts of the validation split that are in the training split, too. Digests of at most 10,000 texts are kept, about a
 * megabyte, and at most 100,000 training texts are read, the first ones.
 */
export async function overlapWarning(
  data: DataLoader,
  tokenizer: Tokenizer,
  task: Task,
  signal: AbortSignal,
): Promise<WarningEvent | undefined> {
  if (!data.splits.includes("validation") || !data.splits.includes("train")) return undefined;
  const texts = (split: Split, limit: number) =>
    bounded(
      task === "sequence_classification" ? exampleTexts(data, tokenizer, split) : data.texts(split),
      limit,
    );
  const held = new Map<string, string>();
  let of = 0;
  for await (const text of texts("validation", REMEMBERED)) {
    if (signal.aborted) return undefined;
    of++;
    held.set(digestOf(text), text.slice(0, 80));
  }
  const found = new Set<string>();
  let against = 0;
  for await (const text of texts("train", COMPARED)) {
    if (signal.aborted) return undefined;
    against++;
    const digest = digestOf(text);
    if (held.has(digest)) found.add(digest);
  }
  if (found.size === 0 || found.size < SHARE * of) return undefined;
  const [first = ""] = found;
  return {
    type: "warning",
    code: "OVERLAP",
    message: `${found.size} of ${of} validation texts are among the ${against} training texts that were looked at, for example ${JSON.stringify(held.get(first))}: the model is judged by what it learned from. Take them out of one of both; \`codex-ml data inspect\` tells more`,
    numbers: { found: found.size, of, against },
  };
}

/** The texts of examples, pairs as one. */
async function* exampleTexts(data: DataLoader, tokenizer: Tokenizer, split: Split): AsyncGenerator<string> {
  const request = { tokenizer, sequenceLength: 1, seed: 0, epoch: 0, shuffle: false, start: 0 };
  for await (const example of data.examples(split, request))
    if ("text" in example)
      yield example.textPair === undefined ? example.text : JSON.stringify([example.text, example.textPair]);
}

async function* bounded(texts: AsyncIterable<string>, limit: number): AsyncGenerator<string> {
  let count = 0;
  let characters = 0;
  for await (const text of texts) {
    yield text;
    characters += text.length;
    if (++count === limit || characters > CHARACTERS) return;
  }
}
