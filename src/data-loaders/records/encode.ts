import type { Tokenizer } from "../../tokenizers/index.ts";
import { checkIds } from "../ids.ts";
import { wordPieces } from "../pieces.ts";

/** Code units that are encoded at once; a longer document is cut where words end. */
const ENCODED_PIECE = 1 << 20;

/** Bytes of one stored id: two where the vocabulary allows it. */
export function idBytes({ vocabSize }: Tokenizer): 2 | 4 {
  return vocabSize <= 1 << 16 ? 2 : 4;
}

/**
 * The ids of a document, with the tokenizer's end-of-text id at the end if there is one.
 *
 * @throws DataError `DATA_BAD_ID` when the tokenizer gives what is no id.
 */
export async function encodeDocument(tokenizer: Tokenizer, text: string): Promise<Uint16Array | Int32Array> {
  const parts: ArrayLike<number>[] = [];
  if (text.length <= ENCODED_PIECE) parts.push(tokenizer.encode(text));
  else for await (const piece of wordPieces(once(text), ENCODED_PIECE)) parts.push(tokenizer.encode(piece));
  if (tokenizer.eosTokenId !== undefined) parts.push([tokenizer.eosTokenId]);
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  const ids = idBytes(tokenizer) === 2 ? new Uint16Array(count) : new Int32Array(count);
  let end = 0;
  for (const part of parts) {
    ids.set(part, end);
    checkIds(part, ids.subarray(end, end + part.length), tokenizer.vocabSize);
    end += part.length;
  }
  return ids;
}

/** One text, as a stream. */
export async function* once(text: string): AsyncGenerator<string> {
  yield text;
}
