import { createHash } from "node:crypto";
import type { Tokenizer } from "../../tokenizers/index.ts";

/** Text on which tokenizers that were changed in any way that matters differ, most likely. */
const SAMPLE =
  "The whale — it's 3,141 feet! \tNaïve cafés, 東京, привет, 👩‍👩‍👧 \u00a0\r\n\n  if (x >= 10) { return y[x]; }  ﬁ\0<|endoftext|></s>";

/**
 * A digest of what a tokenizer makes of text: of what `save` gives, and of a sample. Undefined for one without `save`,
 * which cannot tell what it is: its ids are not kept for another process.
 */
export function tokenizerDigest(tokenizer: Tokenizer): string | undefined {
  const files = tokenizer.save?.();
  if (files === undefined) return undefined;
  const hash = createHash("sha256");
  for (const name of Object.keys(files).sort()) hash.update(JSON.stringify([name, files[name]]));
  const { vocabSize, eosTokenId = null } = tokenizer;
  return hash.update(JSON.stringify([vocabSize, eosTokenId, encodedSample(tokenizer)])).digest("hex");
}

/** A vocabulary of characters may not know the sample's. */
function encodedSample(tokenizer: Tokenizer): readonly number[] | string {
  try {
    return Array.from(tokenizer.encode(SAMPLE));
  } catch (error) {
    return String(error);
  }
}
