import type { DataLoader, Split } from "../data-loaders/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";

/** UTF-8 bytes of the original text that each label stands for; calls follow each other in the order of the evaluation. */
export type LabelBytes = (labels: Int32Array) => Int32Array;

/**
 * What a tokenizer without `byteLength` makes of a split's text: bytes for each id, on average. Such a tokenizer loses something
 * (capitals, accents, white space, unknown words), so that what an id decodes to is not what stood in the text.
 *
 * @returns NaN when the split has no text.
 */
export async function bytesPerId(tokenizer: Tokenizer, data: DataLoader, split: Split): Promise<number> {
  let [bytes, ids] = [0, 0];
  for await (const text of data.texts(split)) {
    bytes += Buffer.byteLength(text);
    ids += tokenizer.encode(text).length;
  }
  return bytes / ids;
}

/**
 * The bytes of labels: those that the tokenizer knows, else `average` each, in whole numbers whose sum is never a byte off. Special
 * tokens have none.
 *
 * @param average What {@link bytesPerId} measured; NaN: nobody knows the text, and what the labels decode to must do.
 */
export function labelBytes(tokenizer: Tokenizer, average: number): LabelBytes {
  const special = new Set(Object.values(tokenizer.specialTokens ?? {}));
  const known = tokenizer.byteLength?.bind(tokenizer);
  if (known !== undefined) return (labels) => labels.map((id) => known(id));
  let rest = 0;
  return (labels) =>
    labels.map((id) => {
      if (special.has(id)) return 0;
      if (!Number.isFinite(average)) return Buffer.byteLength(tokenizer.decode([id]));
      rest += average;
      const whole = Math.floor(rest);
      rest -= whole;
      return whole;
    });
}
