import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";
import { alreadyTrained, emptyCorpus, notTrained, TokenizerError, unknownId } from "./errors.ts";
import {
  addedTokensSchema,
  readRoles,
  readTokenizerJson,
  TOKENIZER_JSON,
  tokensById,
  vocabularySchema,
  writeTokenizerFiles,
} from "./hf-json.ts";
import { defineTokenizer, type Tokenizer } from "./index.ts";
import {
  checkNormalization,
  type Normalization,
  normalize,
  normalizerJson,
  normalizerOptions,
  normalizerSchema,
} from "./normalizer.ts";
import { rolesByText, type SpecialIds, type SpecialRoles, specialIds } from "./special-tokens.ts";
import { checkSpecialTokens, maxWordsSchema, specialTokensSchema } from "./trainable-options.ts";
import { WithSpecialIds } from "./with-special-ids.ts";
import { WordCounts } from "./word-counts.ts";

const UNKNOWN = "<unk>";

const optionsSchema = z.strictObject({
  vocabSize: z
    .int()
    .min(2)
    .max(2 ** 24)
    .default(32_768)
    .describe("Number of ids to learn: <unk>, the special tokens, and the most frequent words."),
  minFrequency: z
    .int()
    .min(1)
    .default(2)
    .describe("How often a word must occur in the corpus to have an id."),
  specialTokens: specialTokensSchema(["<|endoftext|>"]).describe(
    "Tokens that no text encodes to; they take the ids after <unk>. What is one, its text says: <|endoftext|> ends a document, <pad> pads.",
  ),
  maxWords: maxWordsSchema,
  ...normalizerOptions,
});
type WhitespaceOptions = z.output<typeof optionsSchema>;

const savedSchema = z.looseObject({
  normalizer: normalizerSchema,
  pre_tokenizer: z.looseObject({ type: z.literal("WhitespaceSplit") }),
  post_processor: z.null().optional(),
  added_tokens: addedTokensSchema,
  model: z.looseObject({ type: z.literal("WordLevel"), unk_token: z.string(), vocab: vocabularySchema }),
});

const WORD = /\P{White_Space}+/gu;

interface Learned {
  /** Token of each id. */
  readonly tokens: readonly string[];
  readonly idOf: ReadonlyMap<string, number>;
  readonly unknown: number;
  /** The unknown one is not among them. */
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly roles: SpecialRoles;
  readonly ids: SpecialIds;
  readonly normalization: Normalization;
}

/**
 * One id per word, and a word is what stands between white space: 0 is `<unk>`, then the special tokens, then the words of
 * the corpus, the most frequent first and of equals those that come first by UTF-16 code unit.
 *
 * Lossy: white space comes back as one space, a word that has no id as `<unk>`. `<unk>` written in a text is the unknown
 * word, as in Hugging Face's libraries; special tokens are ordinary text.
 */
class WhitespaceTokenizer extends WithSpecialIds implements Tokenizer {
  readonly #options: WhitespaceOptions;
  #learned: Learned | undefined;
  #notes: readonly string[] = [];

  constructor(options: WhitespaceOptions) {
    super();
    this.#options = options;
  }

  /** The requested number until trained; fewer when the corpus has not enough words. */
  get vocabSize(): number {
    return this.#learned?.tokens.length ?? this.#options.vocabSize;
  }

  /** Not `<unk>`, which `encode` does produce. Empty until trained. */
  get specialTokens(): Readonly<Record<string, number>> {
    return this.#learned?.specialTokens ?? {};
  }

  protected get ids(): SpecialIds | undefined {
    return this.#learned?.ids;
  }

  /** @throws TokenizerError `TOKENIZER_NOT_TRAINED`. */
  encode(text: string): Int32Array {
    if (this.#learned === undefined) throw notTrained("whitespace", "encode");
    const { idOf, unknown, specialTokens, tokens, normalization } = this.#learned;
    const ids: number[] = [];
    for (const [at, stretch] of text.split(tokens[unknown] ?? UNKNOWN).entries()) {
      if (at > 0) ids.push(unknown);
      for (const [word] of normalize(stretch, normalization).matchAll(WORD))
        ids.push(Object.hasOwn(specialTokens, word) ? unknown : (idOf.get(word) ?? unknown));
    }
    return Int32Array.from(ids);
  }

  /** @throws TokenizerError `TOKENIZER_NOT_TRAINED`, or `TOKENIZER_UNKNOWN_ID`. */
  decode(ids: Iterable<number>): string {
    if (this.#learned === undefined) throw notTrained("whitespace", "decode");
    const words: string[] = [];
    for (const id of ids) {
      const word = this.#learned.tokens[id];
      if (word === undefined) throw unknownId("whitespace", id, this.vocabSize);
      words.push(word);
    }
    return words.join(" ");
  }

  /** @throws TokenizerError `TOKENIZER_ALREADY_TRAINED`, or `TOKENIZER_EMPTY_CORPUS`. */
  async train(texts: AsyncIterable<string>): Promise<void> {
    if (this.#learned !== undefined) throw alreadyTrained("whitespace");
    const { vocabSize, minFrequency, specialTokens } = this.#options;
    const counts = new WordCounts(this.#options.maxWords);
    for await (const text of texts)
      for (const [word] of normalize(text.replace(/\p{Surrogate}/gu, "\uFFFD"), this.#options).matchAll(WORD))
        counts.add(word);
    if (counts.size === 0) throw emptyCorpus("whitespace");
    this.#notes = counts.notes();
    const first = [UNKNOWN, ...specialTokens];
    const words = [...counts.entries()]
      .filter(([word, count]) => count >= minFrequency && !first.includes(word))
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
      .map(([word]) => word);
    const { normalizer, stripAccents, lowercase } = this.#options;
    const roles = rolesByText(first);
    this.#become([...first, ...words.slice(0, vocabSize - first.length)], 0, specialTokens, roles, {
      normalizer,
      stripAccents,
      lowercase,
    });
  }

  /** What of the corpus could not be counted. */
  notes(): readonly string[] {
    return this.#notes;
  }

  /** `tokenizer.json` with a word-level model, and `tokenizer_config.json`. */
  save(): Readonly<Record<string, string>> {
    if (this.#learned === undefined) throw notTrained("whitespace", "be saved");
    const { tokens, unknown, specialTokens, roles, normalization } = this.#learned;
    const unknownToken = tokens[unknown] ?? UNKNOWN;
    return writeTokenizerFiles({
      specialTokens: { [unknownToken]: unknown, ...specialTokens },
      normalizer: normalizerJson(normalization),
      preTokenizer: { type: "WhitespaceSplit" },
      decoder: null,
      model: {
        type: "WordLevel",
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        unk_token: unknownToken,
      },
      roles,
    });
  }

  /**
   * Takes any word-level `tokenizer.json` that cuts at white space, in place of the options.
   *
   * @throws TokenizerError `TOKENIZER_BAD_FILE`.
   */
  load(files: Readonly<Record<string, string>>): void {
    const json = readTokenizerJson(files, savedSchema, "whitespace");
    const special = Object.fromEntries(json.added_tokens.map(({ content, id }) => [content, id]));
    const tokens = tokensById(new Map([...Object.entries(json.model.vocab), ...Object.entries(special)]));
    const unknown = tokens.indexOf(json.model.unk_token);
    if (unknown < 0)
      throw new TokenizerError(
        "TOKENIZER_BAD_FILE",
        `${TOKENIZER_JSON}: the token for unknown words, ${JSON.stringify(json.model.unk_token)}, is not in the vocabulary.`,
      );
    const others = Object.keys(special).filter((token) => token !== json.model.unk_token);
    const roles = { ...rolesByText(Object.keys(special)), ...readRoles(files, "whitespace") };
    this.#become(tokens, unknown, others, roles, json.normalizer);
  }

  #become(
    tokens: readonly string[],
    unknown: number,
    special: readonly string[],
    roles: SpecialRoles,
    normalization: Normalization,
  ): void {
    const idOf = new Map(tokens.map((token, id) => [token, id]));
    const specialTokens = Object.fromEntries(special.map((token) => [token, idOf.get(token) ?? unknown]));
    const ids = specialIds(specialTokens, roles);
    this.#learned = { tokens, idOf, unknown, specialTokens, roles, ids, normalization };
  }
}

export const whitespace = defineTokenizer({
  description: "One id per word between white space; words the corpus has seldom become <unk>.",
  options: optionsSchema,
  create(options) {
    checkSpecialTokens(options.specialTokens);
    if (options.specialTokens.includes(UNKNOWN))
      throw new InvalidOptionError(["specialTokens"], `${UNKNOWN} is there anyway; leave it out`);
    const least = 1 + options.specialTokens.length;
    if (options.vocabSize <= least)
      throw new InvalidOptionError(
        ["vocabSize"],
        `must be at least ${least + 1}: ${UNKNOWN}, ${least - 1} special token(s) and a word, got ${options.vocabSize}`,
      );
    checkNormalization(options);
    return new WhitespaceTokenizer(options);
  },
});
