/** Stands for a space in pieces, as in SentencePiece. */
const METASPACE = "▁";

/** White space other than the space; written out, because libraries differ in what `\s` is. */
const BREAK = "[\t-\r\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+";
const stretches = new RegExp(`${BREAK}|${BREAK.replace("[", "[^")}`, "gu");

/**
 * How pieces spell a space: as SentencePiece does, after which a ▁ of the text is a space too; or as it is, so that every
 * text comes back.
 */
export type SpaceSpelling = "metaspace" | "space";

const SPACED = " [^ ]*|[^ ]+";
const words = { metaspace: /▁[^▁]*|[^▁]+/g, space: new RegExp(SPACED, "g") };

/** The same as steps of `tokenizer.json`. */
const breaks = { type: "Split", pattern: { Regex: BREAK }, behavior: "Isolated", invert: false };
const metaspace = { type: "Metaspace", replacement: METASPACE, prepend_scheme: "never", split: true };
const spaced = { type: "Split", pattern: { Regex: SPACED }, behavior: "Isolated", invert: false };
export const spellingSteps = {
  metaspace: {
    preTokenizer: { type: "Sequence", pretokenizers: [breaks, metaspace] },
    decoder: metaspace,
  },
  space: {
    preTokenizer: { type: "Sequence", pretokenizers: [breaks, spaced] },
    decoder: { type: "Sequence", decoders: [{ type: "ByteFallback" }, { type: "Fuse" }] },
  },
} as const;

/**
 * Calls `visit` with the words of a text: a space begins a word, other white space stands by itself. No space is put before the
 * first word: what is encoded can be decoded exactly.
 */
export function forEachSpacedWord(
  text: string,
  spelling: SpaceSpelling,
  visit: (word: string) => void,
): void {
  for (const [stretch] of text.matchAll(stretches)) {
    const spelt = spelling === "metaspace" ? stretch.replaceAll(" ", METASPACE) : stretch;
    for (const [word] of spelt.matchAll(words[spelling])) visit(word);
  }
}

/** The text of pieces: ▁ is a space again. */
export function joinMetaspace(pieces: readonly string[]): string {
  return pieces.join("").replaceAll(METASPACE, " ");
}
