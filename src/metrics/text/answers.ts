import { splitWords } from "./whitespace.ts";

const punctuation = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/gu;
// A word boundary of Python's, which knows all of Unicode; JavaScript's \b knows ASCII alone.
const articles = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** ASCII punctuation out: Python's `string.punctuation`. */
export function withoutAsciiPunctuation(text: string): string {
  return text.replace(punctuation, "");
}

/** Words of an answer as SQuAD compares them: lower case, without punctuation and articles. */
export function answerWords(text: string): string[] {
  return splitWords(withoutAsciiPunctuation(text.toLowerCase()).replace(articles, " "));
}
