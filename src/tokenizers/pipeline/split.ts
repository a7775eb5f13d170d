/** What becomes of the stretches that a pattern finds, as the Rust library calls it. */
export type SplitBehavior = "Removed" | "Isolated" | "MergedWithPrevious" | "MergedWithNext" | "Contiguous";

/** Cuts a text at what a pattern finds (or, with `invert`, at what lies between). No piece is empty. */
export function split(text: string, pattern: RegExp, behavior: SplitBehavior, invert = false): string[] {
  const parts: { text: string; isMatch: boolean }[] = [];
  const push = (from: number, to: number, found: boolean) => {
    if (to > from) parts.push({ text: text.slice(from, to), isMatch: found !== invert });
  };
  let before = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    push(before, index, false);
    push(index, index + match.length, true);
    before = index + match.length;
  }
  push(before, text.length, false);
  switch (behavior) {
    case "Removed":
      return parts.filter(({ isMatch }) => !isMatch).map((part) => part.text);
    case "Isolated":
      return parts.map((part) => part.text);
    case "Contiguous":
      return merged(parts, (part, previous) => part.isMatch === previous.isMatch);
    case "MergedWithPrevious":
      return merged(parts, (part, previous) => part.isMatch && !previous.isMatch);
    case "MergedWithNext":
      return merged(
        parts.toReversed().map((part) => ({ ...part, text: part.text })),
        (part, next) => part.isMatch && !next.isMatch,
        true,
      ).toReversed();
  }
}

/** Joins each part with the one before it in the list where `joins` says so. */
function merged(
  parts: readonly { readonly text: string; readonly isMatch: boolean }[],
  joins: (part: { readonly isMatch: boolean }, previous: { readonly isMatch: boolean }) => boolean,
  isReversed = false,
): string[] {
  const texts: string[] = [];
  for (const [at, part] of parts.entries()) {
    const previous = parts[at - 1];
    if (previous !== undefined && joins(part, previous)) {
      const last = texts.pop() ?? "";
      texts.push(isReversed ? part.text + last : last + part.text);
    } else texts.push(part.text);
  }
  return texts;
}
