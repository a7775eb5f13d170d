import type { Tokenizer } from "../../tokenizers/index.ts";

/** Bytes of a character that is not complete: each may be shown as one replacement character. */
const INCOMPLETE = 3;

/**
 * Turns tokens into text as they come. It never gives half a character, nor what may turn out to be the beginning of a
 * stop string.
 */
export class TextStream {
  readonly #tokenizer: Tokenizer;
  readonly #stopStrings: readonly string[];
  readonly #ids: number[] = [];
  #text = "";
  #shown = "";
  #isStopped = false;

  constructor(tokenizer: Tokenizer, stopStrings: readonly string[] = []) {
    this.#tokenizer = tokenizer;
    this.#stopStrings = stopStrings;
  }

  /** Tokens so far. */
  get length(): number {
    return this.#ids.length;
  }

  /** Whether a stop string was written: the text ends before it. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Adds a token; gives the text that is now certain. */
  push(id: number): string {
    this.#ids.push(id);
    this.#text = this.#tokenizer.decode(this.#ids);
    const end = firstStop(this.#text, this.#stopStrings);
    if (end !== undefined) {
      this.#isStopped = true;
      this.#text = this.#text.slice(0, end);
      return "";
    }
    const text = this.#text.slice(0, certainLength(this.#text, this.#stopStrings));
    // What was shown cannot be taken back, should a longer list of ids begin with another text.
    if (!text.startsWith(this.#shown)) return "";
    const piece = text.slice(this.#shown.length);
    this.#shown = text;
    return piece;
  }

  /** What was held back. */
  end(): string {
    let common = 0;
    while (common < this.#shown.length && this.#text[common] === this.#shown[common]) common++;
    this.#shown = this.#text;
    return this.#text.slice(common);
  }
}

/**
 * Where the text ends by a stop string: before the one that is complete first, as if characters came one by one. Of two that
 * are complete at once, before the longer.
 */
function firstStop(text: string, stopStrings: readonly string[]): number | undefined {
  let first: { readonly start: number; readonly end: number } | undefined;
  for (const stop of stopStrings) {
    const start = text.indexOf(stop);
    if (start < 0) continue;
    const end = start + stop.length;
    if (first === undefined || end < first.end || (end === first.end && start < first.start))
      first = { start, end };
  }
  return first?.start;
}

/** How much of a text cannot change any more: neither its last character nor a stop string is half there. */
function certainLength(text: string, stopStrings: readonly string[]): number {
  let length = text.length;
  while (length > 0 && text.length - length < INCOMPLETE && text[length - 1] === "\uFFFD") length--;
  const whole = text.slice(0, length);
  for (const stop of stopStrings)
    for (let part = Math.min(stop.length - 1, whole.length); part > whole.length - length; part--)
      if (whole.endsWith(stop.slice(0, part))) length = whole.length - part;
  return length;
}
