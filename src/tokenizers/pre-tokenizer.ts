import {
  ANY,
  BREAK,
  classAt,
  DIGIT,
  LETTER,
  LOWER,
  runEnd,
  SPACE,
  UPPER,
  widthAt,
} from "./character-class.ts";

/** Where the word that begins at `start` ends; words follow each other, and together are the text. */
export type WordEnd = (text: string, start: number) => number;

const APOSTROPHE = 0x27;
const BLANK = 0x20;
const WORD_OR_SPACE = LETTER | DIGIT | SPACE;

/**
 * GPT-2's pre-tokenisation: English contractions, a run of letters, of digits or of other marks with at most one space
 * before it, and runs of white space, of which the last space belongs to the word after. Source: `encoder.py` in OpenAI's
 * gpt-2, whose regular expression this scanner follows alternative by alternative (tests/tokenizers/pre-tokenizer.test.ts).
 */
export const gpt2WordEnd: WordEnd = (text, start) => {
  const unit = text.charCodeAt(start);
  if (unit === APOSTROPHE) {
    const end = contractionEnd(text, start, false);
    if (end > start) return end;
  }
  const from = unit === BLANK ? start + 1 : start;
  if (from < text.length) {
    const found = classAt(text, from);
    if ((found & LETTER) !== 0) return runEnd(text, from, LETTER, 0);
    if ((found & DIGIT) !== 0) return runEnd(text, from, DIGIT, 0);
    if ((found & SPACE) === 0) return runEnd(text, from, ANY, WORD_OR_SPACE);
  }
  return spacesEnd(text, start, runEnd(text, start, SPACE, 0));
};

/**
 * The pre-tokenisation of o200k_base (GPT-4o): words begin at a capital after small letters, a mark or a space may stand before
 * letters, contractions belong to the word before, digits come by threes, and line ends to the marks or spaces before. Source:
 * `o200k_base` in OpenAI's tiktoken, whose regular expression this scanner follows, backtracking included.
 */
export const o200kWordEnd: WordEnd = (text, start) => {
  const found = classAt(text, start);
  const after = start + widthAt(text, start);
  // A character that is no letter, digit or line end may stand before letters.
  const mayLead = (found & (LETTER | DIGIT | BREAK)) === 0 && after < text.length;
  let end = mayLead ? lettersEnd(text, after) : -1;
  if (end < 0) end = lettersEnd(text, start);
  if (end < 0 && mayLead) end = capitalsEnd(text, after);
  if (end < 0) end = capitalsEnd(text, start);
  if (end >= 0) return contractionEnd(text, end, true);
  if ((found & DIGIT) !== 0) {
    let digits = after;
    for (let more = 0; more < 2 && digits < text.length && (classAt(text, digits) & DIGIT) !== 0; more++)
      digits += widthAt(text, digits);
    return digits;
  }
  const from = text.charCodeAt(start) === BLANK ? after : start;
  if (from < text.length && (classAt(text, from) & WORD_OR_SPACE) === 0) {
    let marks = runEnd(text, from, ANY, WORD_OR_SPACE);
    for (let unit = text.charCodeAt(marks); unit === 10 || unit === 13 || unit === 0x2f; )
      unit = text.charCodeAt(++marks);
    return marks;
  }
  const spaces = runEnd(text, start, SPACE, 0);
  for (let last = spaces - 1; last >= start; last--) if ((classAt(text, last) & BREAK) !== 0) return last + 1;
  return spacesEnd(text, start, spaces);
};

/** `[UPPER]*[LOWER]+`: capitals and caseless letters, then at least one that may be last; −1 when there is none. */
function lettersEnd(text: string, from: number): number {
  // The last caseless letter of the run: there the pattern goes back to when no small letter follows.
  let caseless = -1;
  let at = from;
  while (at < text.length) {
    const found = classAt(text, at);
    if ((found & UPPER) === 0) break;
    at += widthAt(text, at);
    if ((found & LOWER) !== 0) caseless = at;
  }
  if (at < text.length && (classAt(text, at) & LOWER) !== 0) return runEnd(text, at, LOWER, 0);
  return caseless;
}

/** `[UPPER]+`, where no small letter follows (then it is {@link lettersEnd}); −1 when there is none. */
function capitalsEnd(text: string, from: number): number {
  const end = runEnd(text, from, UPPER, 0);
  return end > from ? end : -1;
}

/** `\s+(?!\S)|\s+`: all the white space, or all but the last where something follows. */
function spacesEnd(text: string, start: number, end: number): number {
  return end < text.length && end - 1 > start ? end - 1 : end;
}

/** Where a contraction ends that stands at a place; the place itself when there is none. */
function contractionEnd(text: string, at: number, anyCase: boolean): number {
  if (text.charCodeAt(at) !== APOSTROPHE) return at;
  let [first, second] = [text.charCodeAt(at + 1), text.charCodeAt(at + 2)];
  if (anyCase) {
    // U+017F, the long s, is a capital S too where case does not count.
    first = first === 0x17f ? 0x73 : first >= 0x41 && first <= 0x5a ? first + 32 : first;
    second = second >= 0x41 && second <= 0x5a ? second + 32 : second;
  }
  // s t m d
  if (first === 0x73 || first === 0x74 || first === 0x6d || first === 0x64) return at + 2;
  // re ve ll
  const isTwo =
    ((first === 0x72 || first === 0x76) && second === 0x65) || (first === 0x6c && second === 0x6c);
  return isTwo ? at + 3 : at;
}
