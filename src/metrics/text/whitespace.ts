/**
 * White space as Python's `str.split` and `\s` know it, which the text metrics of Python follow: JavaScript's `\s` lacks the
 * separators U+001C to U+001F and U+0085, and has the byte order mark.
 */
const space = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const runs = new RegExp(`[${space}]+`, "u");
const severalInRow = new RegExp(`[${space}]{2,}`, "gu");
const isSpace = new RegExp(`[${space}]`, "u");

/** The words between white space. */
export function splitWords(text: string): string[] {
  return text.split(runs).filter((word) => word !== "");
}

export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace.test(text[end - 1] ?? "")) end--;
  return text.slice(0, end);
}

export function strip(text: string): string {
  let start = 0;
  while (start < text.length && isSpace.test(text[start] ?? "")) start++;
  return stripEnd(text.slice(start));
}

/** Each two or more white space characters become one space; one alone stays what it is. */
export function joinSeveralSpaces(text: string): string {
  return text.replace(severalInRow, " ");
}
