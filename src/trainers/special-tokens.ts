import type { Example, TokenExample } from "../data-loaders/index.ts";
import { IGNORE_INDEX } from "../nn/index.ts";
import { type EncodedText, encodeText } from "../tokenizers/encode-batch.ts";
import type { Tokenizer } from "../tokenizers/index.ts";

/**
 * A text, or two, as an encoder reads it: with special tokens around, and its end cut off where it is too long. Ids that a
 * data loader gives are taken as they are.
 */
export function encoderInput(example: Example, tokenizer: Tokenizer, sequenceLength: number): EncodedText {
  if (!("text" in example)) {
    const ids = Int32Array.from(example.inputIds);
    // Loaders give one id more than fits, the last target of next-token prediction: losing that one is no loss here.
    const truncated = Math.max(0, ids.length - sequenceLength - 1);
    return { inputIds: ids.subarray(0, sequenceLength), truncated };
  }
  const { text, textPair } = example;
  return encodeText(tokenizer, textPair === undefined ? text : [text, textPair], {
    maxLength: sequenceLength,
  });
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
