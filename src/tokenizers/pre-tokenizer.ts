/**
 * GPT-2's pre-tokenisation: text is cut into words before anything merges, and no token crosses a cut. The pieces are
 * English contractions, a run of letters, of digits or of other marks with at most one space before it, and runs of
 * white space; together they are the whole text. Source: `encoder.py` in OpenAI's gpt-2.
 *
 * White space is the Unicode property, as in the Rust implementation, and not JavaScript's `\s`, which leaves out U+0085
 * and has U+FEFF besides. Which characters are letters and digits is up to the Unicode version inside Node: those that
 * Unicode 16 and later assigned are "other marks" for a library with older tables, and may be cut differently there.
 */
const WORD =
  /'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Calls `visit` with each word of `text`, in order. Their concatenation is `text`. */
export function forEachWord(text: string, visit: (word: string) => void): void {
  for (const match of text.matchAll(WORD)) visit(match[0]);
}

/**
 * A copy of `word` with memory of its own. V8 makes long substrings views that keep the whole text alive; what outlives
 * the text, such as the key of a cache, must not be one.
 */
export function detached(word: string): string {
  return Buffer.from(word, "utf16le").toString("utf16le");
}
