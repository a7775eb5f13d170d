import fc from "fast-check";
import { getTokenizer, type Tokenizer } from "../../src/tokenizers/index.ts";

/** Code points that Unicode 16 and 17 assigned: libraries with older tables cut words differently around them. */
const RECENT: readonly (readonly [number, number])[] = [
  [0x088f, 0x088f],
  [0x0c5c, 0x0c5c],
  [0x0cdc, 0x0cdc],
  [0xa7ce, 0xa7d4],
  [0xa7da, 0xa7dc],
  [0xa7f1, 0xa7f1],
  [0x105c0, 0x105f3],
  [0x10940, 0x10959],
  [0x10d40, 0x10d8f],
  [0x10ec2, 0x10ec7],
  [0x11380, 0x113e2],
  [0x11bc0, 0x11bf9],
  [0x11db0, 0x11de9],
  [0x13460, 0x143fa],
  [0x16100, 0x16139],
  [0x16d40, 0x16d79],
  [0x16ea0, 0x16ed3],
  [0x16ff2, 0x16ff6],
  [0x187f8, 0x187ff],
  [0x18cff, 0x18cff],
  [0x18d09, 0x18df2],
  [0x1ccf0, 0x1ccf9],
  [0x1e5d0, 0x1e5fa],
  [0x1e6c0, 0x1e6ff],
  [0x2b73a, 0x2b73f],
  [0x2cea2, 0x2cead],
  [0x323b0, 0x33479],
];

/** What has broken tokenizers: controls, byte order marks, odd white space, combining marks, joiners, quotes. */
const TRAPS = [
  "\0",
  "\uFEFF",
  "\r\n",
  "\r",
  "\n\n \n",
  "\t",
  "\u0085",
  "\u00A0",
  "\u3000",
  "\u2028",
  "\u200B",
  "\u200D",
  "\u001C",
  "e\u0301",
  "a\u0308\u0323",
  "👩‍👩‍👧‍👦",
  "🏳️‍🌈",
  "🇫🇷",
  "👍🏽",
  "\u{10FFFF}",
  "\uFFFD",
  "ñ",
  "Ġ",
  "Ċ",
  "don't",
  "I'LL",
  "'s",
  "’s",
  "  ",
  " a",
  "٣",
  "Ⅷ",
  "²",
  "ß",
  "İ",
  "مرحبا",
  "東京",
  "한국어",
  "हिन्दी",
  "__proto__",
  "constructor",
  "<unk>",
];

/** Any text without lone surrogates. */
export const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...TRAPS),
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "binary-ascii" }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

/** Any text that implementations with Unicode 15 tables and later cut alike. */
export const settledText: fc.Arbitrary<string> = anyText.filter((text) =>
  [...text].every((character) => {
    const point = character.codePointAt(0) ?? 0;
    return !RECENT.some(([first, last]) => first <= point && point <= last);
  }),
);

/** The text, cut at places where a word ends: before a space or line end that follows anything but white space. */
export function cutAtWordEnds(text: string, choose: (place: number) => boolean): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (let i = 1; i < text.length; i++)
    if (/[ \n]/.test(text.charAt(i)) && !/[\s\u0085]/.test(text.charAt(i - 1)) && choose(i)) {
      pieces.push(text.slice(start, i));
      start = i;
    }
  return [...pieces, text.slice(start)];
}

export async function* stream(...pieces: string[]): AsyncGenerator<string> {
  yield* pieces;
}

/** English, with other scripts mixed in. */
export const corpus = `${"It was the best of times, it was the worst of times; don't we'll they've I'm.\r\n".repeat(20)}
${"naïve café — “quotes” 東京 東京都 한국어 мир мира 👩‍👩‍👧 👩‍👩‍👧 e\u0301 e\u0301 1984 1984\n".repeat(10)}
${"__proto__ constructor toString hasOwnProperty 0 1 12 123\n".repeat(10)}${"aaaa aaaaaaa bababa ".repeat(10)}`;

export async function trainedBpe(options: object, ...pieces: string[]): Promise<Tokenizer> {
  const tokenizer = await getTokenizer("bpe", options);
  await tokenizer.train?.(stream(...pieces));
  return tokenizer;
}
