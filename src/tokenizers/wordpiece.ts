import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";
import { type BertTextOptions, forEachBertWord } from "./bert-text.ts";
import { alreadyTrained, emptyCorpus, notTrained, unknownId } from "./errors.ts";
import { IdBuffer } from "./id-buffer.ts";
import { defineTokenizer, type Tokenizer } from "./index.ts";
import { normalizerOptions } from "./normalizer.ts";
import { rolesByText, type SpecialIds, specialIds } from "./special-tokens.ts";
import { checkSpecialTokens, maxWordsSchema, specialTokensSchema } from "./trainable-options.ts";
import { WithSpecialIds } from "./with-special-ids.ts";
import { WordCache } from "./word-cache.ts";
import { WordCounts } from "./word-counts.ts";
import { readWordPiece, type WordPieceVocabulary, writeWordPiece } from "./wordpiece-json.ts";
import { longestMatches } from "./wordpiece-matches.ts";
import { CONTINUING, learnWordPieces, withoutPrefix } from "./wordpiece-trainer.ts";

const UNKNOWN = "[UNK]";
/** In the order, and so with the ids, of Hugging Face's trainer for BERT. */
const BERT_TOKENS = ["[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]"] as const;
const LONGEST_WORD = 100;

const optionsSchema = z.strictObject({
  vocabSize: z
    .int()
    .min(8)
    .max(2 ** 21)
    .default(8192)
    .describe("Number of ids to learn: special tokens, characters, and pieces of words."),
  minFrequency: z
    .int()
    .min(1)
    .default(2)
    .describe("How often two neighbouring pieces must occur in the corpus to become one."),
  limitAlphabet: z
    .int()
    .min(1)
    .default(1000)
    .describe("How many characters to keep, the most frequent ones; words with another one are unknown."),
  maxWords: maxWordsSchema,
  normalizer: normalizerOptions.normalizer,
  lowercase: z.boolean().default(true).describe("Whether capitals become small letters."),
  stripAccents: z
    .boolean()
    .optional()
    .describe("Whether accents are taken off (é becomes e). Default: as `lowercase`."),
  handleChineseChars: z
    .boolean()
    .default(true)
    .describe("Whether each Chinese character is a word by itself."),
  specialTokens: specialTokensSchema([]).describe(
    "Further tokens that no text encodes to; they take the ids after [PAD], [UNK], [CLS], [SEP] and [MASK].",
  ),
});
type WordPieceOptions = z.output<typeof optionsSchema>;

/** Everything `encode` and `decode` need, once there is a vocabulary. */
interface Learned {
  readonly vocabulary: WordPieceVocabulary;
  readonly unknownId: number;
  /** All but the unknown one, which text does encode to. */
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly ids: SpecialIds;
  readonly cache: WordCache;
}

/**
 * WordPiece as BERT has it: a word becomes the longest piece of the vocabulary that begins it, then the longest that goes on,
 * written `##…`; a word that cannot be spelt so is `[UNK]`. Sources: Wu et al. (2016), "Google's Neural Machine Translation
 * System", section 4.1; Devlin et al. (2019), "BERT".
 *
 * Lossy: capitals and accents (as the options say), white space, and unknown words. `[UNK]` written in a text is the unknown
 * word, as in Hugging Face's libraries; the other special tokens are ordinary text.
 */
class WordPieceTokenizer extends WithSpecialIds implements Tokenizer {
  readonly #options: WordPieceOptions;
  #learned: Learned | undefined;
  #notes: readonly string[] = [];

  constructor(options: WordPieceOptions) {
    super();
    this.#options = options;
  }

  /** The requested number until trained; fewer when the corpus has not enough pairs. */
  get vocabSize(): number {
    return this.#learned?.vocabulary.pieces.length ?? this.#options.vocabSize;
  }

  /** Not `[UNK]`, which `encode` does produce. Empty until trained. */
  get specialTokens(): Readonly<Record<string, number>> {
    return this.#learned?.specialTokens ?? {};
  }

  protected get ids(): SpecialIds | undefined {
    return this.#learned?.ids;
  }

  /** The pieces alone: trainers add `[CLS]` and `[SEP]`. @throws TokenizerError `TOKENIZER_NOT_TRAINED`. */
  encode(text: string): Int32Array {
    if (this.#learned === undefined) throw notTrained("wordpiece", "encode");
    const { vocabulary, cache, unknownId: unknown } = this.#learned;
    const ids = new IdBuffer(text.length >> 2);
    const unknownIds = Int32Array.of(unknown);
    for (const [at, stretch] of text.split(vocabulary.unknown).entries()) {
      if (at > 0) ids.append(unknownIds);
      forEachBertWord(stretch, vocabulary.text, (word) => ids.append(cache.get(word)));
    }
    return ids.toArray();
  }

  /**
   * Words with a space between, but none before `.`, `,`, `!` and `?`; special tokens come out as their text.
   *
   * @throws TokenizerError `TOKENIZER_NOT_TRAINED`, or `TOKENIZER_UNKNOWN_ID`.
   */
  decode(ids: Iterable<number>): string {
    if (this.#learned === undefined) throw notTrained("wordpiece", "decode");
    const { pieces } = this.#learned.vocabulary;
    const parts: string[] = [];
    for (const id of ids) {
      const piece = pieces[id];
      if (piece === undefined) throw unknownId("wordpiece", id, this.vocabSize);
      if (parts.length === 0) parts.push(piece);
      else if (piece.startsWith(CONTINUING)) parts.push(withoutPrefix(piece));
      else parts.push(/^[.,!?]/.test(piece) ? piece : ` ${piece}`);
    }
    return parts.join("");
  }

  /** @throws TokenizerError `TOKENIZER_ALREADY_TRAINED`, `TOKENIZER_EMPTY_CORPUS`, or `TOKENIZER_VOCABULARY_TOO_SMALL`. */
  async train(texts: AsyncIterable<string>): Promise<void> {
    if (this.#learned !== undefined) throw alreadyTrained("wordpiece");
    const { normalizer, lowercase, handleChineseChars } = this.#options;
    const text: BertTextOptions = {
      normalizer,
      lowercase,
      stripAccents: this.#options.stripAccents ?? lowercase,
      handleChineseChars,
    };
    const counts = new WordCounts(this.#options.maxWords);
    for await (const piece of texts) forEachBertWord(piece, text, (word) => counts.add(word));
    if (counts.size === 0) throw emptyCorpus("wordpiece");
    this.#notes = counts.notes();
    const special = [...BERT_TOKENS, ...this.#options.specialTokens];
    this.#become({
      pieces: learnWordPieces(counts, { ...this.#options, specialTokens: special }),
      unknown: UNKNOWN,
      specialTokens: Object.fromEntries(special.map((token, id) => [token, id])),
      roles: rolesByText(special),
      text,
      longestWord: LONGEST_WORD,
    });
  }

  /** What of the corpus could not be counted. */
  notes(): readonly string[] {
    return this.#notes;
  }

  /** A `tokenizer.json` as BERT's, and a `tokenizer_config.json`. */
  save(): Readonly<Record<string, string>> {
    if (this.#learned === undefined) throw notTrained("wordpiece", "be saved");
    return writeWordPiece(this.#learned.vocabulary);
  }

  /**
   * Takes any `tokenizer.json` of BERT's kind, whoever trained it, in place of the options.
   *
   * @throws TokenizerError `TOKENIZER_BAD_FILE`.
   */
  load(files: Readonly<Record<string, string>>): void {
    this.#become(readWordPiece(files));
  }

  #become(vocabulary: WordPieceVocabulary): void {
    const unknown = vocabulary.specialTokens[vocabulary.unknown] ?? 0;
    const others = Object.entries(vocabulary.specialTokens).filter(([, id]) => id !== unknown);
    this.#learned = {
      vocabulary,
      unknownId: unknown,
      specialTokens: Object.fromEntries(others),
      ids: specialIds(vocabulary.specialTokens, vocabulary.roles),
      cache: new WordCache(
        longestMatches({
          pieces: vocabulary.pieces.map((piece, id) => [piece, id] as const),
          prefix: CONTINUING,
          longestWord: vocabulary.longestWord,
          unknown,
        }),
      ),
    };
  }
}

export const wordpiece = defineTokenizer({
  description: "WordPiece as in BERT, trained on the corpus; for encoders.",
  options: optionsSchema,
  create(options) {
    checkSpecialTokens(options.specialTokens);
    for (const [i, token] of options.specialTokens.entries())
      if (BERT_TOKENS.some((own) => own === token))
        throw new InvalidOptionError(["specialTokens", i], `${token} is there anyway; leave it out`);
    return new WordPieceTokenizer(options);
  },
});
