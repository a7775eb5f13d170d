import { lowercase, type Normalization, unicodeForm } from "./normalizer.ts";

/**
 * How BERT prepares text (Devlin et al. 2019; `BertNormalizer` and `BertPreTokenizer` of Hugging Face's `tokenizers`):
 * controls go, white space becomes spaces, Chinese characters stand alone, accents may go, letters may become small; then
 * words end at white space, and each punctuation mark is a word.
 *
 * Which characters are marks, punctuation or controls is up to the Unicode version inside Node. The Rust library's tables
 * are older (Unicode 8), so about 700 rare characters that came later are cut or stripped here and not there.
 */
export interface BertTextOptions {
  /** Unicode normalization form that the text takes first; BERT itself has none. */
  readonly normalizer: Normalization["normalizer"];
  /** Controls go, and white space becomes spaces. Default true. */
  readonly cleanText?: boolean;
  /** Capitals become small letters. */
  readonly lowercase: boolean;
  /** Accents are taken off: é becomes e. Default, as in BERT: when letters become small. */
  readonly stripAccents: boolean;
  /** Chinese characters are words by themselves. */
  readonly handleChineseChars: boolean;
}

const removed = /[\0\uFFFD]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu;
const whiteSpace = /\p{White_Space}/gu;
/** The CJK blocks that BERT lists, as the Rust library has them (U+2B820 … U+2B91F are missing there). */
const chinese =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;
const word = /[\p{P}!-/:-@[-`{-~]|[^\p{White_Space}\p{P}!-/:-@[-`{-~]+/gu;

/** The text as BERT's words are cut from it. */
export function bertNormalize(text: string, options: BertTextOptions): string {
  let normal = unicodeForm(text, options.normalizer);
  if (options.cleanText !== false) normal = normal.replace(removed, "").replace(whiteSpace, " ");
  if (options.handleChineseChars) normal = normal.replace(chinese, " $& ");
  if (options.stripAccents) normal = normal.normalize("NFD").replace(/\p{Mn}/gu, "");
  return options.lowercase ? lowercase(normal) : normal;
}

/** Calls `visit` with each word of a text. */
export function forEachBertWord(text: string, options: BertTextOptions, visit: (word: string) => void): void {
  for (const match of bertNormalize(text, options).matchAll(word)) visit(match[0]);
}
