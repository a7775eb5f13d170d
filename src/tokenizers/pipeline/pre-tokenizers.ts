import { z } from "zod";
import { spellBytes } from "../byte-alphabet.ts";
import { gpt2WordEnd } from "../pre-tokenizer.ts";
import { literal, patternSchema } from "./regex.ts";
import { split } from "./split.ts";
import { unknownKind } from "./unknown-kind.ts";

/** Cuts a stretch of text into words. @param isFirst Whether the stretch begins the text. */
export type CutStep = (text: string, isFirst: boolean) => string[];

/** ASCII marks are punctuation here even where Unicode calls them symbols. */
const PUNCTUATION = "\\p{P}!-/:-@\\[-`\\{-~";
const punctuation = new RegExp(`[${PUNCTUATION}]`, "gu");
const bertWord = new RegExp(`[${PUNCTUATION}]|[^\\p{White_Space}${PUNCTUATION}]+`, "gu");
/** As the Rust crate `regex` has `\w`. */
const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const wordOrMarks = new RegExp(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`, "gu");
const unspaced = /\P{White_Space}+/gu;
const digit = /\p{N}/gu;

const behavior = z.enum(["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]);

const all = (pattern: RegExp): CutStep => {
  return (text) => text.match(pattern) ?? [];
};

function gpt2Words(text: string): string[] {
  const words: string[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = gpt2WordEnd(text, start);
    words.push(text.slice(start, end));
  }
  return words;
}

const step: z.ZodType<CutStep> = z.lazy(() =>
  z.discriminatedUnion(
    "type",
    [
      z.looseObject({ type: z.literal("BertPreTokenizer") }).transform(() => all(bertWord)),
      z.looseObject({ type: z.literal("Whitespace") }).transform(() => all(wordOrMarks)),
      z.looseObject({ type: z.literal("WhitespaceSplit") }).transform(() => all(unspaced)),
      z
        .looseObject({
          type: z.literal("ByteLevel"),
          add_prefix_space: z.boolean().default(true),
          use_regex: z.boolean().default(true),
        })
        .transform(
          ({ add_prefix_space: prefixed, use_regex: cuts }): CutStep =>
            (text) => {
              const spaced = prefixed && !text.startsWith(" ") ? ` ${text}` : text;
              return (cuts ? gpt2Words(spaced) : [spaced]).map((word) =>
                spellBytes(Buffer.from(word, "utf8")),
              );
            },
        ),
      z
        .looseObject({
          type: z.literal("Metaspace"),
          replacement: z.string().min(1).default("▁"),
          prepend_scheme: z.enum(["always", "first", "never"]).optional(),
          // Files from before 2024.
          add_prefix_space: z.boolean().default(true),
          split: z.boolean().default(true),
        })
        .transform((json): CutStep => {
          const { replacement, split: cuts } = json;
          const scheme = json.prepend_scheme ?? (json.add_prefix_space ? "always" : "never");
          const one = literal(replacement);
          return (text, isFirst) => {
            const spelt = text.replaceAll(" ", replacement);
            const prepends = scheme === "always" || (scheme === "first" && isFirst);
            const whole = prepends && !spelt.startsWith(replacement) ? replacement + spelt : spelt;
            return cuts ? split(whole, one, "MergedWithNext") : [whole];
          };
        }),
      z
        .looseObject({
          type: z.literal("Split"),
          pattern: patternSchema,
          behavior,
          invert: z.boolean().default(false),
        })
        .transform(
          ({ pattern, behavior: how, invert }): CutStep =>
            (text) =>
              split(text, pattern, how, invert),
        ),
      z.looseObject({ type: z.literal("Punctuation"), behavior: behavior.default("Isolated") }).transform(
        ({ behavior: how }): CutStep =>
          (text) =>
            split(text, punctuation, how),
      ),
      z.looseObject({ type: z.literal("Digits"), individual_digits: z.boolean().default(false) }).transform(
        ({ individual_digits: each }): CutStep =>
          (text) =>
            split(text, digit, each ? "Isolated" : "Contiguous"),
      ),
      z.looseObject({ type: z.literal("CharDelimiterSplit"), delimiter: z.string().min(1) }).transform(
        ({ delimiter }): CutStep =>
          (text) =>
            text.split(delimiter).filter((word) => word !== ""),
      ),
      z
        .looseObject({ type: z.literal("FixedLength"), length: z.int().min(1).default(5) })
        .transform(({ length }): CutStep => all(new RegExp(`[^]{1,${length}}`, "gu"))),
      z.looseObject({ type: z.literal("Sequence"), pretokenizers: z.array(step) }).transform(
        ({ pretokenizers }): CutStep =>
          (text, isFirst) =>
            pretokenizers.reduce(
              (words, cut) =>
                words.flatMap((word, at) => (word === "" ? [] : cut(word, isFirst && at === 0))),
              [text],
            ),
      ),
    ],
    { error: unknownKind("pre-tokeniser") },
  ),
);

/** `pre_tokenizer` of a `tokenizer.json`: every kind of the Rust library's but UnicodeScripts. */
export const preTokenizerStep: z.ZodType<CutStep | null | undefined> = step.nullish();
