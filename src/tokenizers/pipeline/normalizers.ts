import { z } from "zod";
import { bertNormalize } from "../bert-text.ts";
import { spellBytes } from "../byte-alphabet.ts";
import { lowercase } from "../normalizer.ts";
import { PrecompiledNormalizer } from "./precompiled.ts";
import { patternSchema } from "./regex.ts";
import { unknownKind } from "./unknown-kind.ts";

/** Changes a text before it is cut. */
export type TextStep = (text: string) => string;

// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what it takes out.
const dropped = /[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]/gu;
const spaced = /[\t\n\f\r\u1680\u200B-\u200F\u2028\u2029\u2581\uFEFF\uFFFD]/gu;
const blankStart = /^\p{White_Space}+/u;
const blankEnd = /\p{White_Space}+$/u;

const form = <Type extends "NFC" | "NFD" | "NFKC" | "NFKD">(type: Type) =>
  z.looseObject({ type: z.literal(type) }).transform((): TextStep => (text) => text.normalize(type));

const step: z.ZodType<TextStep> = z.lazy(() =>
  z.discriminatedUnion(
    "type",
    [
      form("NFC"),
      form("NFD"),
      form("NFKC"),
      form("NFKD"),
      z.looseObject({ type: z.literal("Lowercase") }).transform((): TextStep => lowercase),
      z
        .looseObject({ type: z.literal("StripAccents") })
        .transform((): TextStep => (text) => text.replace(/\p{M}/gu, "")),
      z
        .looseObject({ type: z.literal("Nmt") })
        .transform((): TextStep => (text) => text.replace(dropped, "").replace(spaced, " ")),
      z
        .looseObject({
          type: z.literal("Strip"),
          strip_left: z.boolean().default(true),
          strip_right: z.boolean().default(true),
        })
        .transform(
          ({ strip_left: left, strip_right: right }): TextStep =>
            (text) => {
              const started = left ? text.replace(blankStart, "") : text;
              return right ? started.replace(blankEnd, "") : started;
            },
        ),
      z.looseObject({ type: z.literal("Replace"), pattern: patternSchema, content: z.string() }).transform(
        ({ pattern, content }): TextStep =>
          (text) =>
            text.replace(pattern, () => content),
      ),
      z.looseObject({ type: z.literal("Prepend"), prepend: z.string() }).transform(
        ({ prepend }): TextStep =>
          (text) =>
            text === "" ? text : prepend + text,
      ),
      z
        .looseObject({ type: z.literal("ByteLevel") })
        .transform((): TextStep => (text) => spellBytes(Buffer.from(text, "utf8"))),
      z
        .looseObject({
          type: z.literal("BertNormalizer"),
          clean_text: z.boolean().default(true),
          handle_chinese_chars: z.boolean().default(true),
          strip_accents: z.boolean().nullish(),
          lowercase: z.boolean().default(true),
        })
        .transform((bert): TextStep => {
          const options = {
            normalizer: "none",
            cleanText: bert.clean_text,
            handleChineseChars: bert.handle_chinese_chars,
            stripAccents: bert.strip_accents ?? bert.lowercase,
            lowercase: bert.lowercase,
          } as const;
          return (text) => bertNormalize(text, options);
        }),
      z
        .looseObject({ type: z.literal("Precompiled"), precompiled_charsmap: z.base64() })
        .transform(({ precompiled_charsmap: charsmap }, context): TextStep => {
          try {
            const table = new PrecompiledNormalizer(Buffer.from(charsmap, "base64"));
            return (text) => table.normalize(text);
          } catch (cause) {
            context.addIssue({
              code: "custom",
              message: `precompiled_charsmap: ${(cause as Error).message}`,
            });
            return z.NEVER;
          }
        }),
      z.looseObject({ type: z.literal("Sequence"), normalizers: z.array(step) }).transform(
        ({ normalizers }): TextStep =>
          (text) =>
            normalizers.reduce((normal, normalize) => normalize(normal), text),
      ),
    ],
    { error: unknownKind("normaliser") },
  ),
);

/** `normalizer` of a `tokenizer.json`: every kind that the Rust library has. */
export const normalizerStep: z.ZodType<TextStep | null | undefined> = step.nullish();
