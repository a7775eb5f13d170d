/** Where `index` would cut a surrogate pair in two, the place before the pair; else `index`. */
function characterStart(text: string, index: number): number {
  const pair =
    index > 0 &&
    (text.charCodeAt(index - 1) & 0xfc00) === 0xd800 &&
    (text.charCodeAt(index) & 0xfc00) === 0xdc00;
  return pair ? index - 1 : index;
}

/**
 * Characters [from, to) of a text that comes in chunks, counted in UTF-16 code units. A bound inside a surrogate pair
 * moves before it, so that neighbouring ranges share no character and lose none. Chunks must hold whole characters.
 */
export async function* sliceChunks(
  chunks: AsyncIterable<string>,
  from: number,
  to: number,
): AsyncGenerator<string> {
  let position = 0;
  for await (const chunk of chunks) {
    if (position >= to) return;
    const start = characterStart(chunk, Math.min(chunk.length, Math.max(0, from - position)));
    const end = characterStart(chunk, Math.min(chunk.length, to - position));
    if (start < end) yield chunk.slice(start, end);
    position += chunk.length;
  }
}

const BLANK = /[\s\u0085]/;

/** Whether a word ends before `index`: a space, tab or line end is there, and no white space before it. */
function isWordEnd(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  const blank = code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
  return blank && !BLANK.test(text.charAt(index - 1));
}

/** The last word end up to `size`, or without one the first after it, or −1. */
function cutNear(text: string, size: number): number {
  for (let i = size; i > 0; i--) if (isWordEnd(text, i)) return i;
  for (let i = size + 1; i < text.length; i++) if (isWordEnd(text, i)) return i;
  return -1;
}

/**
 * Joins chunks and cuts them again, into pieces of at most `size` code units that end where a word ends: before a space,
 * tab or line end, and after anything that is no white space. Every tokenizer that cuts text at white space gives the
 * same tokens for the pieces as for the whole. A word longer than `size` makes a longer piece.
 */
export async function* wordPieces(chunks: AsyncIterable<string>, size: number): AsyncGenerator<string> {
  let pending = "";
  for await (const chunk of chunks) {
    pending += chunk;
    while (pending.length > size) {
      const end = cutNear(pending, size);
      if (end < 0) break;
      yield pending.slice(0, end);
      pending = pending.slice(end);
    }
  }
  if (pending !== "") yield pending;
}
