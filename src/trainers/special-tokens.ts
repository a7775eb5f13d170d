import type { Example } from "../data-loaders/index.ts";
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
  const { clsTokenId: cls, sepTokenId: sep } = tokenizer;
  const before = cls === undefined ? [] : [cls];
  const after = sep === undefined ? [] : [sep];
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

/** How much of two lengths is kept so that both fit: the longer is cut first, then both by turns. */
function longestFirst(first: number, second: number, room: number): readonly [number, number] {
  if (first + second <= room) return [first, second];
  const half = Math.floor(room / 2);
  if (second <= half) return [room - second, second];
  if (first <= room - half) return [first, room - first];
  return [room - half, half];
}
