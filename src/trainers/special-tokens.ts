import type { Example, TokenExample } from "../data-loaders/index.ts";
import { IGNORE_INDEX } from "../nn/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";

/** A text, or two, as an encoder reads it. */
export interface EncoderInput {
  readonly inputIds: Int32Array;
  /** 0 for the first text with what surrounds it, 1 for the second; where there is a second. */
  readonly tokenTypeIds?: Int32Array;
  /** Ids that did not fit. */
  readonly truncated: number;
}

/**
 * `[CLS] text [SEP]`, or `[CLS] text [SEP] pair [SEP]` (Devlin et al. 2019), as far as the tokenizer has these tokens. What
 * is too long loses its end; of a pair the longer text loses first, as in Hugging Face's `longest_first`. Ids that a
 * data loader gives are taken as they are.
 */
export function encoderInput(example: Example, tokenizer: Tokenizer, sequenceLength: number): EncoderInput {
  if (!("text" in example)) {
    const ids = Int32Array.from(example.inputIds);
    // Loaders give one id more than fits, the last target of next-token prediction: losing that one is no loss here.
    const truncated = Math.max(0, ids.length - sequenceLength - 1);
    return { inputIds: ids.subarray(0, sequenceLength), truncated };
  }
  const { before, after } = around(tokenizer);
  const isPair = example.textPair !== undefined;
  const first = Array.from(tokenizer.encode(example.text));
  const second = isPair ? Array.from(tokenizer.encode(example.textPair ?? "")) : [];
  const room = Math.max(0, sequenceLength - before.length - (isPair ? 2 : 1) * after.length);
  const [kept, keptPair] = longestFirst(first.length, second.length, room);
  const head = [...before, ...first.slice(0, kept), ...after];
  const tail = isPair ? [...second.slice(0, keptPair), ...after] : [];
  const inputIds = Int32Array.from([...head, ...tail]).subarray(0, sequenceLength);
  return {
    inputIds,
    ...(isPair && { tokenTypeIds: inputIds.map((_, at) => (at < head.length ? 0 : 1)) }),
    truncated: first.length - kept + second.length - keptPair,
  };
}

/** Ids of a window as an encoder reads them, with what the data loader says of each. */
export interface EncoderWindow {
  readonly inputIds: Int32Array;
  readonly labels?: readonly number[];
  readonly documentIds?: readonly number[];
  readonly truncated: number;
}

/** Ids of a window that leave room for the special tokens around them. */
export function windowLength(sequenceLength: number, tokenizer: Tokenizer): number {
  return Math.max(1, sequenceLength - around(tokenizer).count);
}

/**
 * `[CLS] ids [SEP]`, as far as the tokenizer has these tokens (Devlin et al. 2019): for ids that a data loader cut out of
 * longer text. Ids that begin with `[CLS]` are taken as they are. The special tokens belong to the first document of the
 * window and to the last, and have no label.
 */
export function encoderWindow(
  example: TokenExample,
  tokenizer: Tokenizer,
  sequenceLength: number,
): EncoderWindow {
  const given = Array.from(example.inputIds);
  const { before, after, count } = around(tokenizer);
  const isWhole = count === 0 || (before.length > 0 && given[0] === before[0]);
  const room = isWhole ? sequenceLength : Math.max(0, sequenceLength - count);
  const wrapped = (values: readonly number[], first: readonly number[], last: readonly number[]) =>
    (isWhole ? values.slice(0, room) : [...first, ...values.slice(0, room), ...last]).slice(
      0,
      sequenceLength,
    );
  const { labels, documentIds } = example;
  const documents = documentIds && Array.from(documentIds);
  const lastDocument = documents?.[Math.min(room, documents.length) - 1];
  return {
    inputIds: Int32Array.from(wrapped(given, before, after)),
    ...(labels && {
      labels: wrapped(Array.from(labels), before.map(ignored), after.map(ignored)),
    }),
    ...(documents && {
      documentIds: wrapped(
        documents,
        before.map(() => documents[0] ?? 1),
        after.map(() => lastDocument ?? 1),
      ),
    }),
    // Loaders give one id more than fits, the last target of next-token prediction: losing that one is no loss here.
    truncated: Math.max(0, given.length - room - 1),
  };
}

function around({ clsTokenId: cls, sepTokenId: sep }: Tokenizer) {
  const before = cls === undefined ? [] : [cls];
  const after = sep === undefined ? [] : [sep];
  return { before, after, count: before.length + after.length };
}

function ignored(): number {
  return IGNORE_INDEX;
}

/** How much of two lengths is kept so that both fit: the longer is cut first, then both by turns. */
function longestFirst(first: number, second: number, room: number): readonly [number, number] {
  if (first + second <= room) return [first, second];
  const half = Math.floor(room / 2);
  if (second <= half) return [room - second, second];
  if (first <= room - half) return [first, room - first];
  return [room - half, half];
}
