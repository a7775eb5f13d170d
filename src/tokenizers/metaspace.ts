/** Stands for a space in pieces, as in SentencePiece. */
const METASPACE = "▁";

/** White space other than the space; written out, because libraries differ in what `\s` is. */
const BREAK = "[\t-\r\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+";
const stretches = new RegExp(`${BREAK}|${BREAK.replace("[", "[^")}`, "gu");
const words = /▁[^▁]*|[^▁]+/g;

/** The same as steps of `tokenizer.json`. */
const metaspace = { type: "Metaspace", replacement: METASPACE, prepend_scheme: "never", split: true };
export const metaspaceDecoder = metaspace;
export const metaspacePreTokenizer = {
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex: BREAK }, behavior: "Isolated", invert: false },
    metaspace,
  ],
};

/**
 * Calls `visit` with the words of a text: spaces are written ▁ and begin a word, other white space stands by itself. No ▁ is put
 * before the first word: what is encoded can be decoded exactly.
 */
export function forEachMetaspaceWord(text: string, visit: (word: string) => void): void {
  for (const [stretch] of text.matchAll(stretches))
    for (const [word] of stretch.replaceAll(" ", METASPACE).matchAll(words)) visit(word);
}

/** The text of pieces: ▁ is a space again. */
export function joinMetaspace(pieces: readonly string[]): string {
  return pieces.join("").replaceAll(METASPACE, " ");
}
