import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";
import { alreadyTrained, emptyCorpus, notTrained, TokenizerError, unknownId } from "./errors.ts";
import {
  addedTokensSchema,
  plainPipeline,
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
import { checkSpecialTokens, specialTokensSchema } from "./trainable-options.ts";
import { WithSpecialIds } from "./with-special-ids.ts";

const UNKNOWN = "<unk>";
const UNKNOWN_ID = 0;
const REPLACEMENT = "\uFFFD";

const optionsSchema = z.strictObject({
  vocabSize: z
    .int()
    .min(2)
    .max(2 ** 21)
    .default(65_536)
    .describe("Most ids to learn: <unk>, the most frequent characters, and the special tokens."),
  minFrequency: z
    .int()
    .min(1)
    .default(1)
    .describe("How often a character must occur in the corpus to have an id."),
  specialTokens: specialTokensSchema(["<|endoftext|>"]).describe(
    "Tokens that no text encodes to; they take the last ids. What is one, its text says: <|endoftext|> ends a document, <pad> pads.",
  ),
  ...normalizerOptions,
});
type CharOptions = z.output<typeof optionsSchema>;

const savedSchema = z.looseObject({
  ...plainPipeline,
  normalizer: normalizerSchema,
  added_tokens: addedTokensSchema,
  pre_tokenizer: z.looseObject({ type: z.literal("Split") }),
  model: z.looseObject({
    type: z.literal("WordLevel"),
    unk_token: z.literal(UNKNOWN),
    vocab: vocabularySchema,
  }),
});

interface Learned {
  /** Token of each id: `<unk>`, the characters, the special tokens. */
  readonly tokens: readonly string[];
  readonly idOf: ReadonlyMap<string, number>;
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly roles: SpecialRoles;
  readonly ids: SpecialIds;
  readonly normalization: Normalization;
}

/**
 * One id per character (Unicode code point) of the corpus: 0 is `<unk>`, then the characters in the order of their code
 * points, then the special tokens.
 *
 * Lossy: a character that has no id is encoded as `<unk>`, which decodes to U+FFFD. Without a normaliser, text made of the
 * corpus's characters comes back exactly.
 */
class CharTokenizer extends WithSpecialIds implements Tokenizer {
  readonly #options: CharOptions;
  #learned: Learned | undefined;

  constructor(options: CharOptions) {
    super();
    this.#options = options;
  }

  /** Until trained, that of no characters. */
  get vocabSize(): number {
    return this.#learned?.tokens.length ?? 1 + this.#options.specialTokens.length;
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
    if (this.#learned === undefined) throw notTrained("char", "encode");
    const { idOf, normalization } = this.#learned;
    const normal = characters(text, normalization);
    const ids = new Int32Array(normal.length);
    let length = 0;
    for (const character of normal) ids[length++] = idOf.get(character) ?? UNKNOWN_ID;
    return ids.slice(0, length);
  }

  /** @throws TokenizerError `TOKENIZER_NOT_TRAINED`, or `TOKENIZER_UNKNOWN_ID`. */
  decode(ids: Iterable<number>): string {
    if (this.#learned === undefined) throw notTrained("char", "decode");
    let text = "";
    for (const id of ids) {
      const token = this.#learned.tokens[id];
      if (token === undefined) throw unknownId("char", id, this.vocabSize);
      text += id === UNKNOWN_ID ? REPLACEMENT : token;
    }
    return text;
  }

  /** @throws TokenizerError `TOKENIZER_ALREADY_TRAINED`, or `TOKENIZER_EMPTY_CORPUS`. */
  async train(texts: AsyncIterable<string>): Promise<void> {
    if (this.#learned !== undefined) throw alreadyTrained("char");
    const { vocabSize, minFrequency, specialTokens, normalizer, stripAccents, lowercase } = this.#options;
    const normalization = { normalizer, stripAccents, lowercase };
    // At most all of Unicode, so that memory is bounded whatever the corpus.
    const counts = new Map<number, number>();
    for await (const text of texts)
      for (const character of characters(text, normalization)) {
        const point = character.codePointAt(0) ?? 0;
        counts.set(point, (counts.get(point) ?? 0) + 1);
      }
    if (counts.size === 0) throw emptyCorpus("char");
    const learned = [...counts]
      .filter(([, count]) => count >= minFrequency)
      .sort(([a, n], [b, m]) => m - n || a - b)
      .slice(0, vocabSize - 1 - specialTokens.length)
      .map(([point]) => point)
      .sort((a, b) => a - b)
      .map((point) => String.fromCodePoint(point));
    const tokens = [UNKNOWN, ...learned, ...specialTokens];
    this.#become(tokens, specialTokens, rolesByText([UNKNOWN, ...specialTokens]), normalization);
  }

  /** `tokenizer.json` with a word-level model whose words are the characters. */
  save(): Readonly<Record<string, string>> {
    if (this.#learned === undefined) throw notTrained("char", "be saved");
    const { tokens, specialTokens, roles, normalization } = this.#learned;
    return writeTokenizerFiles({
      specialTokens,
      normalizer: normalizerJson(normalization),
      preTokenizer: { type: "Split", pattern: { Regex: "[\\s\\S]" }, behavior: "Isolated", invert: false },
      decoder: { type: "Fuse" },
      model: {
        type: "WordLevel",
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        unk_token: UNKNOWN,
      },
      roles,
    });
  }

  /** @throws TokenizerError `TOKENIZER_BAD_FILE`. */
  load(files: Readonly<Record<string, string>>): void {
    const json = readTokenizerJson(files, savedSchema, "char");
    const tokens = tokensById(Object.entries(json.model.vocab));
    const special = json.added_tokens.map(({ content }) => content);
    const firstSpecial = tokens.length - special.length;
    const isOurs =
      tokens[0] === UNKNOWN &&
      json.added_tokens.every(({ content, id }) => id >= firstSpecial && tokens[id] === content) &&
      tokens.slice(1, firstSpecial).every((token) => [...token].length === 1);
    if (!isOurs)
      throw new TokenizerError(
        "TOKENIZER_BAD_FILE",
        `${TOKENIZER_JSON} does not hold a char tokenizer: its tokens must be ${UNKNOWN}, single characters, and ` +
          "the special tokens, in this order.",
      );
    const roles = { ...rolesByText([UNKNOWN, ...special]), ...readRoles(files, "char") };
    this.#become(tokens, special, roles, json.normalizer);
  }

  #become(
    tokens: readonly string[],
    special: readonly string[],
    roles: SpecialRoles,
    normalization: Normalization,
  ): void {
    const idOf = new Map(tokens.map((token, id) => [token, id]));
    const specialTokens = Object.fromEntries(special.map((token) => [token, idOf.get(token) ?? UNKNOWN_ID]));
    const ids = specialIds(specialTokens, roles);
    this.#learned = { tokens, idOf, specialTokens, roles, ids, normalization };
  }
}

/** A text whose code points are its characters; a lone surrogate, which is none, counts as U+FFFD. */
function characters(text: string, normalization: Normalization): string {
  return normalize(text.replace(/\p{Surrogate}/gu, REPLACEMENT), normalization);
}

export const char = defineTokenizer({
  description: "One id per character of the corpus; characters it does not have become <unk>.",
  options: optionsSchema,
  create(options) {
    const { specialTokens, vocabSize } = options;
    checkSpecialTokens(specialTokens);
    for (const [i, token] of specialTokens.entries()) {
      if (token === UNKNOWN)
        throw new InvalidOptionError(["specialTokens", i], `${UNKNOWN} is there anyway; leave it out`);
      if ([...token].length === 1)
        throw new InvalidOptionError(
          ["specialTokens", i],
          `${JSON.stringify(token)} is a character; choose a longer text`,
        );
    }
    checkNormalization(options);
    const least = 2 + specialTokens.length;
    if (vocabSize < least)
      throw new InvalidOptionError(
        ["vocabSize"],
        `must be at least ${least}: ${UNKNOWN}, a character, and ${specialTokens.length} special token(s), got ${vocabSize}`,
      );
    return new CharTokenizer(options);
  },
});
