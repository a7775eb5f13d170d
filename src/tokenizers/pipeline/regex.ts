import { Tokenizer as Library } from "@huggingface/tokenizers";
import { z } from "zod";

/** A pattern that finds a text as it is. */
export function literal(text: string): RegExp {
  return new RegExp(escaped(text), "gu");
}

export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** A `pattern` of `tokenizer.json`: text that is looked for as it is, or a regular expression of the Rust library (Oniguruma's). */
export const patternSchema = z
  .union([z.strictObject({ Regex: z.string() }), z.strictObject({ String: z.string() })], {
    error: "expected { Regex } or { String }",
  })
  .transform((pattern, context): RegExp => {
    if ("String" in pattern) return literal(pattern.String);
    try {
      return translated(pattern.Regex);
    } catch (cause) {
      context.addIssue({
        code: "custom",
        message: `the regular expression cannot be written in JavaScript: ${(cause as Error).message}`,
      });
      return z.NEVER;
    }
  });

/**
 * What Oniguruma's syntax means is no small thing, and Hugging Face's JavaScript library knows it: the pattern of a Split step that
 * it made.
 */
function translated(regex: string): RegExp {
  const step = { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false };
  const nothing = { normalizer: null, post_processor: null, decoder: null, added_tokens: [] };
  const model = { type: "BPE", vocab: {}, merges: [] };
  const { pre_tokenizer: made } = new Library({ ...nothing, model, pre_tokenizer: step }, {});
  const pattern: unknown = (made as { readonly pattern?: unknown } | null)?.pattern;
  if (!(pattern instanceof RegExp)) throw new TypeError("@huggingface/tokenizers gave no pattern");
  return pattern;
}
