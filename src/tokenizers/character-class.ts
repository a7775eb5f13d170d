/** What pre-tokenisers ask of a character; bits of {@link classOf}. */
export const LETTER = 1;
export const DIGIT = 2;
export const SPACE = 4;
/** May stand before the last letters of a word in o200k: capitals, and letters and marks without a case. */
export const UPPER = 8;
/** May be the last letters of a word in o200k: small letters, and letters and marks without a case. */
export const LOWER = 16;
/** `\r` and `\n`. */
export const BREAK = 32;
/** Set in every class, so that 0 says that a character was not looked at yet. */
const KNOWN = 128;

/**
 * Class of each code point, found out when it is first met. Which characters are letters, marks and digits is up to the Unicode
 * version inside Node. White space is the Unicode property, as in the Rust implementations, and not JavaScript's `\s`.
 */
const classes = new Uint8Array(0x110000);

function classify(point: number): number {
  const character = String.fromCodePoint(point);
  let found = KNOWN;
  if (/\p{L}/u.test(character)) found |= LETTER;
  if (/\p{N}/u.test(character)) found |= DIGIT;
  if (/\p{White_Space}/u.test(character)) found |= SPACE;
  if (/[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]/u.test(character)) found |= UPPER;
  if (/[\p{Ll}\p{Lm}\p{Lo}\p{M}]/u.test(character)) found |= LOWER;
  if (point === 10 || point === 13) found |= BREAK;
  classes[point] = found;
  return found;
}
for (let point = 0; point < 128; point++) classify(point);

/** The class of the character at a place: of a code unit, or of the code point that a pair of surrogates is. */
export function classAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 128) return classes[unit] as number;
  const point = (unit & 0xf800) === 0xd800 ? (text.codePointAt(at) as number) : unit;
  const known = classes[point] as number;
  return known === 0 ? classify(point) : known;
}

/** Code units of the character at a place. */
export function widthAt(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00 ? 2 : 1;
}

/** Where a run of characters ends whose classes have a bit of `wanted` and none of `unwanted`. */
export function runEnd(text: string, from: number, wanted: number, unwanted: number): number {
  let at = from;
  while (at < text.length) {
    const found = classAt(text, at);
    if ((found & wanted) === 0 || (found & unwanted) !== 0) break;
    at += widthAt(text, at);
  }
  return at;
}

/** In every class: `runEnd(text, from, ANY, LETTER | DIGIT | SPACE)` is a run of other marks. */
export const ANY: number = KNOWN;
