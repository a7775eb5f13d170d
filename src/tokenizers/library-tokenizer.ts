import { Tokenizer as Library } from "@huggingface/tokenizers";
import { z } from "zod";
import { TokenizerError, unknownId } from "./errors.ts";
import { readRoles, readTokenizerJson, TOKENIZER_JSON } from "./hf-json.ts";
import type { Tokenizer } from "./index.ts";
import { rolesByText, type SpecialIds, specialIds } from "./special-tokens.ts";

const schema = z.looseObject({
  added_tokens: z
    .array(
      z.looseObject({ id: z.int().min(0), content: z.string().min(1), special: z.boolean().default(false) }),
    )
    .default([]),
  model: z.looseObject({ type: z.string().optional(), unk_token: z.string().nullish() }),
});

/** Steps that the library wants to be told of, if only that there are none. */
const none = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };

/**
 * A tokenizer that none of ours can be, run by Hugging Face's JavaScript library. Special tokens are never found in text (the
 * one for unknown words is, as there); nothing is added around a text. Ids and text are those of the Rust library, but for a
 * byte order mark that a vocabulary has as three bytes: this library's `decode` loses it.
 */
export class LibraryTokenizer implements Tokenizer, SpecialIds {
  readonly vocabSize: number;
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly eosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  readonly clsTokenId: number | undefined;
  readonly sepTokenId: number | undefined;
  readonly maskTokenId: number | undefined;
  readonly #encoder: Library;
  readonly #decoder: Library;
  readonly #unknown: number | undefined;

  /** @throws TokenizerError `TOKENIZER_BAD_FILE`: the library cannot build it; says why. */
  constructor(files: Readonly<Record<string, string>>) {
    const json = readTokenizerJson(files, schema, "hf");
    const unknown = json.model.unk_token ?? undefined;
    const isSpecial = ({ special, content }: { special: boolean; content: string }) =>
      special && content !== unknown;
    try {
      this.#decoder = new Library({ ...none, ...json }, {});
      const found = json.added_tokens.filter((token) => !isSpecial(token));
      this.#encoder = new Library({ ...none, ...json, added_tokens: found }, {});
    } catch (cause) {
      throw new TokenizerError(
        "TOKENIZER_BAD_FILE",
        `${TOKENIZER_JSON} holds a tokenizer (model ${JSON.stringify(json.model.type ?? "without a type")}) that neither ` +
          `our own nor the library @huggingface/tokenizers can be: ${(cause as Error).message}`,
        { cause },
      );
    }
    const vocabulary = this.#decoder.get_vocab();
    let largest = -1;
    for (const id of vocabulary.values()) largest = Math.max(largest, id);
    for (const { id } of json.added_tokens) largest = Math.max(largest, id);
    this.vocabSize = largest + 1;
    this.#unknown = unknown === undefined ? undefined : vocabulary.get(unknown);
    const special = json.added_tokens.filter(isSpecial).map(({ content, id }) => [content, id] as const);
    this.specialTokens = Object.fromEntries(special);
    const roles = { ...rolesByText(Object.keys(this.specialTokens)), ...readRoles(files, "hf") };
    const ids = specialIds(this.specialTokens, roles);
    this.eosTokenId = ids.eosTokenId;
    this.padTokenId = ids.padTokenId;
    this.clsTokenId = ids.clsTokenId;
    this.sepTokenId = ids.sepTokenId;
    this.maskTokenId = ids.maskTokenId;
  }

  encode(text: string): Int32Array {
    // Alone, surrogates become what they are in UTF-8.
    const { ids } = this.#encoder.encode(text.replace(/\p{Surrogate}/gu, "\uFFFD"), {
      add_special_tokens: false,
    });
    // The library says undefined where the vocabulary has no token: the one for unknown words, or nothing, as in Rust.
    const known = (ids as (number | undefined)[]).map((id) => id ?? this.#unknown);
    return Int32Array.from(known.filter((id) => id !== undefined));
  }

  /** @throws TokenizerError `TOKENIZER_UNKNOWN_ID`. */
  decode(ids: Iterable<number>): string {
    const array = [...ids];
    for (const id of array)
      if (!Number.isInteger(id) || id < 0 || id >= this.vocabSize) throw unknownId("hf", id, this.vocabSize);
    if (array.length === 0) return "";
    return this.#decoder.decode(array, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  }
}
