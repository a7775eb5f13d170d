import { z } from "zod";
import { escaped } from "./regex.ts";

export const addedTokenSchema = z.looseObject({
  id: z.int().min(0),
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(true),
  special: z.boolean().default(false),
});
export type AddedToken = z.output<typeof addedTokenSchema>;

/** A stretch of a text: a token that is found as a whole (its id), or what lies between two. */
export type Section = number | string;

/** As the Rust crate `regex` has `\w`. */
const WORD = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
const endsWithWord = new RegExp(`${WORD}$`, "u");
const startsWithWord = new RegExp(`^${WORD}`, "u");

/**
 * Finds tokens in text as a whole: the leftmost, and of those that begin at one place the longest. A token may ask to stand by
 * itself (`single_word`), and may take the white space before and after it (`lstrip`, `rstrip`).
 *
 * @param tokens Each with the text that is looked for.
 */
export function tokenFinder(
  tokens: readonly (readonly [content: string, token: AddedToken])[],
): (text: string) => Section[] {
  if (tokens.length === 0) return (text) => [text];
  const tokenOf = new Map(tokens.filter(([content]) => content !== ""));
  const patterns = [...tokenOf.keys()].sort((a, b) => b.length - a.length).map((content) => escaped(content));
  const pattern = new RegExp(patterns.join("|"), "gu");
  return (text) => {
    const sections: Section[] = [];
    let before = 0;
    for (const { 0: content, index } of text.matchAll(pattern)) {
      const token = tokenOf.get(content);
      if (token === undefined || index < before) continue;
      let [start, end] = [index, index + content.length];
      const isPartOfWord = endsWithWord.test(text.slice(0, start)) || startsWithWord.test(text.slice(end));
      if (token.single_word && isPartOfWord) continue;
      if (token.lstrip)
        start = Math.max(before, text.slice(0, start).replace(/\p{White_Space}+$/u, "").length);
      if (token.rstrip) end += /^\p{White_Space}*/u.exec(text.slice(end))?.[0].length ?? 0;
      if (start > before) sections.push(text.slice(before, start));
      sections.push(token.id);
      before = end;
    }
    if (before < text.length) sections.push(text.slice(before));
    return sections;
  };
}
