import type { Tokenizer } from "./index.ts";

/** A text, or a pair of them. */
export type TextInput = string | readonly [text: string, pair: string];

export interface EncodeOptions {
  /** Most ids, special tokens included. Default: nothing is cut. */
  readonly maxLength?: number;
  /** Which end of a text is cut. Default `right`: its end. */
  readonly truncationSide?: "right" | "left";
  /** Puts `[CLS]` before and `[SEP]` after each text, as far as the tokenizer has them. Default true. */
  readonly addSpecialTokens?: boolean;
}

/** A text, or two, as a model reads it. */
export interface EncodedText {
  readonly inputIds: Int32Array;
  /** 0 for the first text with what surrounds it, 1 for the second; where there is a second. */
  readonly tokenTypeIds?: Int32Array;
  /** Ids that were cut off. */
  readonly truncated: number;
}

/**
 * `[CLS] text [SEP]`, or `[CLS] text [SEP] pair [SEP]` (Devlin et al. 2019), as far as the tokenizer has these tokens; ids of the
 * texts alone where it has none. Of a pair that is too long the longer text loses first, as in Hugging Face's
 * `longest_first`.
 */
export function encodeText(
  tokenizer: Tokenizer,
  input: TextInput,
  { maxLength = Infinity, truncationSide = "right", addSpecialTokens = true }: EncodeOptions = {},
): EncodedText {
  const [text, pair] = typeof input === "string" ? [input] : input;
  const { clsTokenId: cls, sepTokenId: sep } = tokenizer;
  const before = cls === undefined || !addSpecialTokens ? [] : [cls];
  const after = sep === undefined || !addSpecialTokens ? [] : [sep];
  const first = Array.from(tokenizer.encode(text));
  const second = pair === undefined ? [] : Array.from(tokenizer.encode(pair));
  const room = Math.max(0, maxLength - before.length - (pair === undefined ? 1 : 2) * after.length);
  const [kept, keptPair] = longestFirst(first.length, second.length, room, maxLength);
  const cut = (ids: readonly number[], length: number) =>
    truncationSide === "right" ? ids.slice(0, length) : ids.slice(ids.length - length);
  const head = [...before, ...cut(first, kept), ...after];
  const tail = pair === undefined ? [] : [...cut(second, keptPair), ...after];
  const inputIds = Int32Array.from([...head, ...tail].slice(0, maxLength));
  return {
    inputIds,
    ...(pair !== undefined && { tokenTypeIds: inputIds.map((_, at) => (at < head.length ? 0 : 1)) }),
    truncated: first.length - kept + second.length - keptPair,
  };
}

/**
 * How much of two lengths is kept so that both fit: the longer is cut first, then both to half. An odd one goes to the longer; to
 * the second where they are equal or each is as long as the whole row, as in Hugging Face's Rust library.
 */
function longestFirst(
  first: number,
  second: number,
  room: number,
  maxLength: number,
): readonly [number, number] {
  if (first + second <= room) return [first, second];
  const half = Math.floor(room / 2);
  if (first <= half) return [first, room - first];
  if (second <= half) return [room - second, second];
  return first > second && second < maxLength ? [room - half, half] : [half, room - half];
}

export interface BatchEncodeOptions extends EncodeOptions {
  /** Rows become as long as the longest of them, or as `maxLength`. Default `longest`. */
  readonly padding?: "longest" | "max_length";
  /** Default `right`: behind the text. */
  readonly paddingSide?: "right" | "left";
  /** Rows become a multiple of this; may go beyond `maxLength`. */
  readonly padToMultipleOf?: number;
}

/** Texts of one length T, row by row, and what it took. */
export interface EncodedBatch {
  readonly shape: readonly [batch: number, length: number];
  /** Row-major (B, T); padding is the tokenizer's padding id, 0 without one. */
  readonly inputIds: Int32Array;
  /** Row-major (B, T): 1 for a token, 0 for padding. */
  readonly attentionMask: Int32Array;
  /** Row-major (B, T), where some text is a pair. */
  readonly tokenTypeIds?: Int32Array;
  /** Ids that were cut off each text, (B). */
  readonly truncated: Int32Array;
  /** Padding of each row, (B). */
  readonly padded: Int32Array;
}

/**
 * Encodes texts for a model: cut to `maxLength`, filled up to one length, and says for each what was cut and what was added. Names of
 * options as in Hugging Face's `transformers`.
 *
 * @throws RangeError for lengths that are no positive whole numbers, a `maxLength` that special tokens alone fill, or one
 * that is missing.
 * @example const { inputIds, shape, truncated } = encodeBatch(tokenizer, ["a text", "another"], { maxLength: 128 });
 */
export function encodeBatch(
  tokenizer: Tokenizer,
  texts: readonly TextInput[],
  options: BatchEncodeOptions = {},
): EncodedBatch {
  const { maxLength, padding = "longest", paddingSide = "right", padToMultipleOf = 1 } = options;
  checkLengths(tokenizer, texts, options);
  const rows = texts.map((text) => encodeText(tokenizer, text, options));
  const longest = rows.reduce((most, { inputIds }) => Math.max(most, inputIds.length), 0);
  const wanted = padding === "max_length" ? (maxLength ?? longest) : longest;
  const length = Math.ceil(wanted / padToMultipleOf) * padToMultipleOf;
  const inputIds = new Int32Array(rows.length * length).fill(tokenizer.padTokenId ?? 0);
  const attentionMask = new Int32Array(inputIds.length);
  const tokenTypeIds = new Int32Array(inputIds.length);
  const padded = new Int32Array(rows.length);
  for (const [at, row] of rows.entries()) {
    const size = row.inputIds.length;
    padded[at] = length - size;
    const start = at * length + (paddingSide === "right" ? 0 : length - size);
    inputIds.set(row.inputIds, start);
    attentionMask.fill(1, start, start + size);
    if (row.tokenTypeIds !== undefined) tokenTypeIds.set(row.tokenTypeIds, start);
  }
  return {
    shape: [rows.length, length],
    inputIds,
    attentionMask,
    ...(rows.some((row) => row.tokenTypeIds !== undefined) && { tokenTypeIds }),
    truncated: Int32Array.from(rows, ({ truncated }) => truncated),
    padded,
  };
}

function checkLengths(
  tokenizer: Tokenizer,
  texts: readonly TextInput[],
  { maxLength, padding, padToMultipleOf, addSpecialTokens = true }: BatchEncodeOptions,
): void {
  for (const [name, value] of Object.entries({ maxLength, padToMultipleOf }))
    if (value !== undefined && !(Number.isInteger(value) && value > 0))
      throw new RangeError(`${name} must be a positive whole number, got ${value}`);
  if (maxLength === undefined) {
    if (padding === "max_length") throw new RangeError("padding: max_length needs a maxLength to fill up to");
    return;
  }
  const sep = tokenizer.sepTokenId === undefined ? 0 : texts.some((text) => typeof text !== "string") ? 2 : 1;
  const special = addSpecialTokens ? (tokenizer.clsTokenId === undefined ? 0 : 1) + sep : 0;
  if (special >= maxLength)
    throw new RangeError(
      `a maxLength of ${maxLength} has no room for text: special tokens around it take ${special}; raise it, or leave them out with addSpecialTokens: false`,
    );
}
