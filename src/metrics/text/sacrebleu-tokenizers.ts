import { splitWords, strip } from "./whitespace.ts";

/** How BLEU splits text into words, by the names of sacrebleu. */
export const bleuTokenizers = {
  "13a": mteval13a,
  intl: international,
  zh: chinese,
  char: (text: string): string[] => Array.from(text).filter((character) => splitWords(character).length > 0),
  none: splitWords,
} as const satisfies Readonly<Record<string, (text: string) => string[]>>;

/** The rules that `13a` and `zh` share: mteval-v13a.pl's language-dependent part. */
function western(text: string): string[] {
  return splitWords(
    text
      .replace(/([{-~[-` -&(-+:-@/])/gu, " $1 ")
      .replace(/([^0-9])([.,])/gu, "$1 $2 ")
      .replace(/([.,])([^0-9])/gu, " $1 $2")
      .replace(/([0-9])(-)/gu, "$1 $2 "),
  );
}

/** mteval-v13a.pl, by which WMT scores: ASCII punctuation apart, but for periods and commas inside numbers. */
function mteval13a(text: string): string[] {
  const joined = text.replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ");
  return western(` ${withoutEntities(joined)} `);
}

export function withoutEntities(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
}

/** mteval-v14.pl's international tokenization: Unicode punctuation apart, but between digits, and every symbol. */
function international(text: string): string[] {
  return splitWords(
    text
      .replace(/(\P{N})(\p{P})/gu, "$1 $2 ")
      .replace(/(\p{P})(\P{N})/gu, " $1 $2")
      .replace(/(\p{S})/gu, " $1 "),
  );
}

/**
 * What `zh` takes for a Chinese character. U+2001 to U+2A6D and U+2F81 to U+2FA1 are no mistake of ours: sacrebleu writes
 * the supplementary planes with four digits too few, so that these are its ranges, general punctuation (“ ” …) among them.
 */
const chineseCharacter =
  /([\u3400-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\u2001-\u2a6d\u2f81-\u2fa1\uff00-\uffef\u2e80-\u2eff\u3000-\u303f\u31c0-\u31ef\u2f00-\u2fdf\u2ff0-\u2fff\u3100-\u312f\u31a0-\u31bf\ufe10-\ufe1f\ufe30-\ufe4f\u3200-\u33ff])/gu;

/** Every Chinese character by itself, the rest as `13a` does. */
function chinese(text: string): string[] {
  return western(strip(text).replace(chineseCharacter, " $1 "));
}
