import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";
import { BpeEncoder } from "./bpe-encoder.ts";
import { type BpeWords, readBpe, writeBpe } from "./bpe-json.ts";
import { BpeTrainer } from "./bpe-trainer.ts";
import type { BpeVocabulary } from "./bpe-vocabulary.ts";
import { readBytes } from "./byte-alphabet.ts";
import { alreadyTrained, emptyCorpus, notTrained, unknownId } from "./errors.ts";
import { defineTokenizer, type Tokenizer } from "./index.ts";
import { checkNormalization, isUnchanged, normalize, normalizerOptions } from "./normalizer.ts";
import { gpt2WordEnd, o200kWordEnd, type WordEnd } from "./pre-tokenizer.ts";
import { rolesByText, type SpecialIds, type SpecialRoles, specialIds } from "./special-tokens.ts";
import { checkSpecialTokens, maxWordsSchema, specialTokensSchema } from "./trainable-options.ts";
import { WithSpecialIds } from "./with-special-ids.ts";

const optionsSchema = z.strictObject({
  vocabSize: z
    .int()
    .min(256)
    .max(2 ** 21)
    .default(1024)
    .describe("Number of ids to learn: 256 bytes, the merges, and the special tokens."),
  minFrequency: z
    .int()
    .min(1)
    .default(2)
    .describe("How often a pair must occur in the corpus to become a token."),
  specialTokens: specialTokensSchema(["<|endoftext|>"]).describe(
    "Tokens that no text encodes to; they take the last ids, and the first of them ends a document.",
  ),
  preTokenizer: z
    .enum(["gpt2", "o200k"])
    .default("gpt2")
    .describe(
      "How text is cut into words, which no token crosses: as in GPT-2, or as in GPT-4o (o200k_base).",
    ),
  maxWords: maxWordsSchema,
  ...normalizerOptions,
});
type BpeOptions = z.output<typeof optionsSchema>;

const wordEnds: Readonly<Record<BpeWords["preTokenizer"], WordEnd>> = {
  gpt2: gpt2WordEnd,
  o200k: o200kWordEnd,
};

/** Everything `encode` and `decode` need, once there is a vocabulary. */
interface Learned {
  readonly vocabulary: BpeVocabulary;
  /** UTF-8 bytes of each id; of a special token, those of its text. */
  readonly bytes: readonly Uint8Array[];
  readonly specialIds: ReadonlySet<number>;
  readonly roles: SpecialRoles;
  readonly ids: SpecialIds;
  readonly words: BpeWords;
  readonly encoder: BpeEncoder;
}

/**
 * Byte-level byte-pair encoding as GPT-2 has it: text is cut into words, and the UTF-8 bytes of a word merge into tokens.
 *
 * Without a normaliser `decode(encode(text)) === text`, except that a lone surrogate becomes U+FFFD, as always in UTF-8. Special tokens are
 * never found in text: `"<|endoftext|>"` in a document is 13 ordinary characters. Source: Radford et al. (2019), "Language
 * Models are Unsupervised Multitask Learners", section 2.2.
 */
class BpeTokenizer extends WithSpecialIds implements Tokenizer {
  readonly #options: BpeOptions;
  #learned: Learned | undefined;
  #notes: readonly string[] = [];

  constructor(options: BpeOptions) {
    super();
    this.#options = options;
  }

  /** The requested number until trained; fewer when the corpus has not enough pairs. */
  get vocabSize(): number {
    return this.#learned?.vocabulary.spellings.length ?? this.#options.vocabSize;
  }

  /** Empty until trained. */
  get specialTokens(): Readonly<Record<string, number>> {
    return this.#learned?.vocabulary.specialTokens ?? {};
  }

  protected get ids(): SpecialIds | undefined {
    return this.#learned?.ids;
  }

  /** @throws TokenizerError `TOKENIZER_NOT_TRAINED`. */
  encode(text: string): Int32Array {
    if (this.#learned === undefined) throw notTrained("bpe", "encode");
    const { encoder, words } = this.#learned;
    return encoder.encode(normalize(text, words.normalization));
  }

  /**
   * Special tokens come out as their text; ids that do not end with a whole character give U+FFFD there.
   *
   * @throws TokenizerError `TOKENIZER_NOT_TRAINED`, or `TOKENIZER_UNKNOWN_ID`.
   */
  decode(ids: Iterable<number>): string {
    const parts: Uint8Array[] = [];
    for (const id of ids) parts.push(this.#bytes(id, "decode"));
    return Buffer.concat(parts).toString("utf8");
  }

  /** There unless a normaliser changes the text. Throws as `decode` does. */
  get byteLength(): ((id: number) => number) | undefined {
    const { normalization } = this.#learned?.words ?? { normalization: this.#options };
    if (!isUnchanged(normalization)) return undefined;
    return (id) => {
      const { length } = this.#bytes(id, "tell the bytes of an id");
      return this.#learned?.specialIds.has(id) ? 0 : length;
    };
  }

  /** @throws TokenizerError `TOKENIZER_ALREADY_TRAINED`, or `TOKENIZER_EMPTY_CORPUS`. */
  async train(texts: AsyncIterable<string>): Promise<void> {
    if (this.#learned !== undefined) throw alreadyTrained("bpe");
    const { preTokenizer, normalizer, stripAccents, lowercase } = this.#options;
    const words: BpeWords = { preTokenizer, normalization: { normalizer, stripAccents, lowercase } };
    const trainer = new BpeTrainer(this.#options, wordEnds[preTokenizer]);
    let empty = true;
    for await (const text of texts) {
      trainer.add(normalize(text, words.normalization));
      empty &&= text === "";
    }
    if (empty) throw emptyCorpus("bpe");
    this.#notes = trainer.notes();
    this.#become(trainer.finish(), {}, words);
  }

  /** What of the corpus could not be counted. */
  notes(): readonly string[] {
    return this.#notes;
  }

  /** A `tokenizer.json` with the same ids for the same text, and a `tokenizer_config.json`. */
  save(): Readonly<Record<string, string>> {
    if (this.#learned === undefined) throw notTrained("bpe", "be saved");
    return writeBpe(this.#learned.vocabulary, this.#learned.roles, this.#learned.words);
  }

  /**
   * Takes any byte-level `tokenizer.json` of GPT-2's or o200k's kind, whoever trained it, in place of the options.
   *
   * @throws TokenizerError `TOKENIZER_BAD_FILE`.
   */
  load(files: Readonly<Record<string, string>>): void {
    const { vocabulary, roles, words } = readBpe(files);
    this.#become(vocabulary, roles, words);
  }

  #become(vocabulary: BpeVocabulary, given: SpecialRoles, words: BpeWords): void {
    const special = new Set(Object.values(vocabulary.specialTokens));
    const [first] = this.#options.specialTokens;
    const known = Object.entries({
      ...rolesByText(Object.keys(vocabulary.specialTokens)),
      ...(first === undefined ? { eos_token: undefined } : { eos_token: first }),
      ...given,
    }).filter(([, token]) => token !== undefined && Object.hasOwn(vocabulary.specialTokens, token));
    const roles: SpecialRoles = Object.fromEntries(known);
    this.#learned = {
      vocabulary,
      bytes: vocabulary.spellings.map((spelling, id) =>
        special.has(id) ? Buffer.from(spelling) : (readBytes(spelling) ?? Buffer.from(spelling)),
      ),
      specialIds: special,
      roles,
      ids: specialIds(vocabulary.specialTokens, roles),
      words,
      encoder: new BpeEncoder(vocabulary, wordEnds[words.preTokenizer]),
    };
  }

  #bytes(id: number, operation: string): Uint8Array {
    if (this.#learned === undefined) throw notTrained("bpe", operation);
    const bytes = this.#learned.bytes[id];
    if (bytes === undefined) throw unknownId("bpe", id, this.vocabSize);
    return bytes;
  }
}

function checkOptions({ vocabSize, specialTokens }: BpeOptions): void {
  checkSpecialTokens(specialTokens);
  for (const [i, token] of specialTokens.entries()) {
    if (token.length === 1 && readBytes(token) !== undefined)
      throw new InvalidOptionError(
        ["specialTokens", i],
        `${JSON.stringify(token)} stands for a byte in the vocabulary; choose a longer text such as "<${token}>"`,
      );
  }
  const least = 256 + specialTokens.length;
  if (vocabSize < least)
    throw new InvalidOptionError(
      ["vocabSize"],
      `must be at least ${least}: 256 bytes and ${specialTokens.length} special token(s), got ${vocabSize}`,
    );
}

export const bpe = defineTokenizer({
  description: "Byte-level byte-pair encoding, trained on the corpus.",
  options: optionsSchema,
  create(options) {
    checkOptions(options);
    checkNormalization(options);
    return new BpeTokenizer(options);
  },
});
