import { z } from "zod";
import { readBytes } from "../byte-alphabet.ts";
import { joinedWithBytes, looksLikeByte } from "../byte-pieces.ts";
import { patternSchema } from "./regex.ts";
import { unknownKind } from "./unknown-kind.ts";

/** Tokens to texts that, one after another, are the decoded text. */
export type DecodeStep = (tokens: readonly string[]) => readonly string[];

/** English as it is written, from words with spaces between. */
const written: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];
const cleaned = (text: string) => written.reduce((clean, [from, to]) => clean.replaceAll(from, to), text);

function stripped(token: string, content: string, start: number, stop: number): string {
  const characters = [...token];
  let [from, to] = [0, characters.length];
  while (from < start && characters[from] === content) from++;
  while (characters.length - to < stop && to > from && characters[to - 1] === content) to--;
  return characters.slice(from, to).join("");
}

const step: z.ZodType<DecodeStep> = z.lazy(() =>
  z.discriminatedUnion(
    "type",
    [
      z.looseObject({ type: z.literal("ByteLevel") }).transform(
        (): DecodeStep => (tokens) => {
          const bytes = tokens.map((token) => readBytes(token) ?? Buffer.from(token, "utf8"));
          return [Buffer.concat(bytes).toString("utf8")];
        },
      ),
      z
        .looseObject({
          type: z.literal("WordPiece"),
          prefix: z.string().default("##"),
          cleanup: z.boolean().default(true),
        })
        .transform(
          ({ prefix, cleanup }): DecodeStep =>
            (tokens) =>
              tokens.map((token, at) => {
                const goesOn = token.startsWith(prefix);
                const spaced = at === 0 ? token : goesOn ? token.slice(prefix.length) : ` ${token}`;
                return cleanup ? cleaned(spaced) : spaced;
              }),
        ),
      z
        .looseObject({
          type: z.literal("Metaspace"),
          replacement: z.string().min(1).default("▁"),
          prepend_scheme: z.enum(["always", "first", "never"]).optional(),
          add_prefix_space: z.boolean().default(true),
        })
        .transform((json): DecodeStep => {
          const { replacement } = json;
          const prepends =
            json.prepend_scheme === undefined ? json.add_prefix_space : json.prepend_scheme !== "never";
          return (tokens) =>
            tokens.map((token, at) => token.replaceAll(replacement, at === 0 && prepends ? "" : " "));
        }),
      z.looseObject({ type: z.literal("BPEDecoder"), suffix: z.string().min(1).default("</w>") }).transform(
        ({ suffix }): DecodeStep =>
          (tokens) =>
            tokens.map((token, at) => token.replaceAll(suffix, at === tokens.length - 1 ? "" : " ")),
      ),
      z.looseObject({ type: z.literal("Replace"), pattern: patternSchema, content: z.string() }).transform(
        ({ pattern, content }): DecodeStep =>
          (tokens) =>
            tokens.map((token) => token.replace(pattern, () => content)),
      ),
      z.looseObject({ type: z.literal("Fuse") }).transform((): DecodeStep => (tokens) => [tokens.join("")]),
      z
        .looseObject({
          type: z.literal("Strip"),
          content: z.string(),
          start: z.int().min(0).default(0),
          stop: z.int().min(0).default(0),
        })
        .transform(
          ({ content, start, stop }): DecodeStep =>
            (tokens) =>
              tokens.map((token) => stripped(token, content, start, stop)),
        ),
      z.looseObject({ type: z.literal("ByteFallback") }).transform(
        (): DecodeStep => (tokens) => {
          const parts: string[] = [];
          let bytes: number[] = [];
          const flush = () => {
            if (bytes.length > 0) parts.push(joinedWithBytes(bytes));
            bytes = [];
          };
          for (const token of tokens)
            if (looksLikeByte(token)) bytes.push(Number.parseInt(token.slice(3, 5), 16));
            else {
              flush();
              parts.push(token);
            }
          flush();
          return parts;
        },
      ),
      z.looseObject({ type: z.literal("Sequence"), decoders: z.array(step) }).transform(
        ({ decoders }): DecodeStep =>
          (tokens) =>
            decoders.reduce((texts, decode) => decode(texts), tokens),
      ),
    ],
    { error: unknownKind("decoder") },
  ),
);

/** `decoder` of a `tokenizer.json`: every kind of the Rust library's but CTC. */
export const decoderStep: z.ZodType<DecodeStep | null | undefined> = step.nullish();
