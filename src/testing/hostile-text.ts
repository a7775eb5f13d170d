import { Random } from "../tensor/random.ts";

/** What has broken tokenizers: controls, byte order marks, odd white space, combining marks, joiners, quotes, keys. */
const traps = [
  "",
  " ",
  "  a  b ",
  "\0",
  "\uFEFFa",
  "a\r\nb\rc\n\n \n",
  "\t\t",
  "\u0085\u00A0\u3000\u2028\u200B\u200D\u001C",
  "e\u0301 é a\u0308\u0323",
  "👩‍👩‍👧‍👦 🏳️‍🌈 🇫🇷 👍🏽",
  "\u{10FFFF}\u{10000}",
  "\uFFFD",
  "\uFFFE\uFFFF",
  "ñ Ġ Ċ ß İ ı ŉ",
  "don't I'LL 's ’s",
  "٣ Ⅷ ² 1984 3.14e-10",
  "مرحبا 東京 한국어 हिन्दी мир ไทย",
  "__proto__ constructor toString hasOwnProperty",
  "<unk> <s> </s> [CLS] [PAD] <|endoftext|>",
  "a".repeat(300),
  "The quick brown fox, isn't it?",
] as const;

/** Ranges that random characters come from: ASCII, Latin, scripts, emoji, everything. */
const ranges = [
  [0x00, 0x7f],
  [0x80, 0x24f],
  [0x250, 0x1fff],
  [0x3000, 0x9fff],
  [0x1f300, 0x1faff],
  [0x00, 0x10ffff],
] as const;

/** Texts without lone surrogates that every tokenizer must survive: known traps, then random ones, always the same. */
export function hostileTexts(randomCount = 200): string[] {
  const random = new Random(0x7e57);
  const drawn = Array.from({ length: randomCount }, () => {
    const length = 1 + random.integer(16);
    return Array.from({ length }, () => randomCharacter(random)).join("");
  });
  return [...traps, ...drawn];
}

function randomCharacter(random: Random): string {
  const [from, to] = ranges[random.integer(ranges.length)] ?? ranges[0];
  const point = from + random.integer(to - from + 1);
  // A surrogate by itself is no character; what UTF-8 has in its place is.
  return String.fromCodePoint(point >= 0xd800 && point <= 0xdfff ? 0xfffd : point);
}

/** Texts that are not well-formed: their surrogates are alone. */
export const loneSurrogates = ["\uD800", "a\uDC00b", "\uDE00\uD83D", "x\uD83D"] as const;

/** What tokenizers learn from in the checks, in pieces cut where a word ends. */
export const defaultCorpus = [
  "It was the best of times, it was the worst of times; don't we'll they've I'm.\r\n".repeat(20),
  " naïve café — “quotes” 東京 東京都 한국어 мир мира 👩‍👩‍👧 👩‍👩‍👧 e\u0301 e\u0301 1984 1984\n".repeat(10),
  " __proto__ constructor toString 0 1 12 123\n".repeat(10),
  " aaaa aaaaaaa bababa".repeat(10),
] as const;

/** A text as messages show it: quoted, with everything that is not plain ASCII spelled out, and not too long. */
export function shown(text: string): string {
  const start = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(start).replace(
    /[^\x20-\x7e…]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
