import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";
import { byteOf, bytePieceCharacters, bytePieces, joinedWithBytes, looksLikeByte } from "./byte-pieces.ts";
import { alreadyTrained, emptyCorpus, notTrained, unknownId } from "./errors.ts";
import { IdBuffer } from "./id-buffer.ts";
import { defineTokenizer, type Tokenizer } from "./index.ts";
import { forEachSpacedWord, joinMetaspace, type SpaceSpelling } from "./metaspace.ts";
import { checkNormalization, isUnchanged, normalize, normalizerOptions } from "./normalizer.ts";
import { rolesByText, type SpecialIds, specialIds } from "./special-tokens.ts";
import { checkSpecialTokens, maxWordsSchema, specialTokensSchema } from "./trainable-options.ts";
import { readUnigram, type UnigramVocabulary, writeUnigram } from "./unigram-json.ts";
import { pieceIds } from "./unigram-pieces.ts";
import { learnUnigrams, readableScore, type ScoredPiece } from "./unigram-trainer.ts";
import { WithSpecialIds } from "./with-special-ids.ts";
import { WordCache } from "./word-cache.ts";
import { WordCounts } from "./word-counts.ts";

const UNKNOWN = "<unk>";

const optionsSchema = z.strictObject({
  vocabSize: z
    .int()
    .min(3)
    .max(2 ** 21)
    .default(8192)
    .describe("Number of ids to learn: <unk>, the special tokens, characters, and longer pieces."),
  limitAlphabet: z
    .int()
    .min(1)
    .default(1000)
    .describe("How many characters to keep, the most frequent ones; the others are unknown."),
  minFrequency: z
    .int()
    .min(1)
    .default(2)
    .describe("How often a piece of several characters must occur in the corpus."),
  maxPieceLength: z.int().min(1).max(64).default(16).describe("Characters of the longest piece."),
  byteFallback: z
    .boolean()
    .default(false)
    .describe(
      "Whether characters without a piece are written as their UTF-8 bytes, each an id of its own (256 of `vocabSize`), so that every text comes back exactly.",
    ),
  specialTokens: specialTokensSchema(["<|endoftext|>"]).describe(
    "Tokens that no text encodes to; they take the ids after <unk>. What is one, its text says: <|endoftext|> ends a document, <pad> pads.",
  ),
  maxWords: maxWordsSchema,
  ...normalizerOptions,
});
type UnigramOptions = z.output<typeof optionsSchema>;

interface Learned {
  readonly vocabulary: UnigramVocabulary;
  readonly unknown: string;
  /** The unknown one is not among them. */
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly ids: SpecialIds;
  readonly cache: WordCache;
  /** Text of each id, or the byte that it stands for. */
  readonly parts: readonly (string | number)[];
}

/**
 * A unigram language model over pieces of words, as in SentencePiece: of all ways to spell a word, the most probable one. Source:
 * Kudo (2018), "Subword Regularization".
 *
 * Lossy where the corpus did not have a character (`<unk>`), and for ▁ (which is a space afterwards). With `byteFallback` such
 * a character is its UTF-8 bytes, as in Llama 2, and pieces spell a space as it is: then, without a normaliser,
 * `decode(encode(text)) === text`. `<unk>` written in a text is the unknown piece, as in Hugging Face's libraries.
 */
class UnigramTokenizer extends WithSpecialIds implements Tokenizer {
  readonly #options: UnigramOptions;
  #learned: Learned | undefined;
  #notes: readonly string[] = [];

  constructor(options: UnigramOptions) {
    super();
    this.#options = options;
  }

  /** The requested number until trained; fewer when the corpus has not enough pieces. */
  get vocabSize(): number {
    return this.#learned?.vocabulary.pieces.length ?? this.#options.vocabSize;
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
    if (this.#learned === undefined) throw notTrained("unigram", "encode");
    const { vocabulary, unknown, cache } = this.#learned;
    const ids = new IdBuffer(text.length >> 1);
    const unknownIds = Int32Array.of(vocabulary.unknownId);
    for (const [at, stretch] of wellFormed(text).split(unknown).entries()) {
      if (at > 0) ids.append(unknownIds);
      forEachSpacedWord(normalize(stretch, vocabulary.normalization), spellingOf(vocabulary), (word) =>
        ids.append(cache.get(word)),
      );
    }
    return ids.toArray();
  }

  /** @throws TokenizerError `TOKENIZER_NOT_TRAINED`, or `TOKENIZER_UNKNOWN_ID`. */
  decode(ids: Iterable<number>): string {
    if (this.#learned === undefined) throw notTrained("unigram", "decode");
    const parts: (string | number)[] = [];
    for (const id of ids) {
      const part = this.#learned.parts[id];
      if (part === undefined) throw unknownId("unigram", id, this.vocabSize);
      parts.push(part);
    }
    return this.#learned.vocabulary.byteFallback ? joinedWithBytes(parts) : joinMetaspace(parts as string[]);
  }

  /** There where every text comes back: with byte fallback and without a normaliser. Throws as `decode` does. */
  get byteLength(): ((id: number) => number) | undefined {
    const learned = this.#learned;
    if (!learned?.vocabulary.byteFallback || !isUnchanged(learned.vocabulary.normalization)) return undefined;
    const special = new Set(Object.values(learned.specialTokens));
    return (id) => {
      const part = learned.parts[id];
      if (part === undefined) throw unknownId("unigram", id, learned.parts.length);
      if (special.has(id)) return 0;
      return typeof part === "number" ? 1 : Buffer.byteLength(part, "utf8");
    };
  }

  /** @throws TokenizerError `TOKENIZER_ALREADY_TRAINED`, `TOKENIZER_EMPTY_CORPUS`, or `TOKENIZER_VOCABULARY_TOO_SMALL`. */
  async train(texts: AsyncIterable<string>): Promise<void> {
    if (this.#learned !== undefined) throw alreadyTrained("unigram");
    const { vocabSize, specialTokens, normalizer, stripAccents, lowercase } = this.#options;
    const normalization = { normalizer, stripAccents, lowercase };
    const { byteFallback } = this.#options;
    const spelling = spellingOf(this.#options);
    const counts = new WordCounts(this.#options.maxWords);
    for await (const text of texts)
      forEachSpacedWord(normalize(wellFormed(text), normalization), spelling, (word) => counts.add(word));
    if (counts.size === 0) throw emptyCorpus("unigram");
    this.#notes = counts.notes();
    const first = [UNKNOWN, ...specialTokens];
    const bytes = byteFallback ? bytePieces : [];
    const learned = learnUnigrams(counts, {
      ...this.#options,
      size: vocabSize - first.length - bytes.length,
      alphabet: byteFallback ? bytePieceCharacters : [],
    }).filter(([piece]) => !first.includes(piece) && !(byteFallback && looksLikeByte(piece)));
    const byteScore = scoreOfBytes(learned);
    this.#become({
      pieces: [
        ...first.map((token) => [token, 0] as const),
        ...bytes.map((piece) => [piece, byteScore] as const),
        ...learned,
      ],
      unknownId: 0,
      specialTokens: Object.fromEntries(first.map((token, id) => [token, id])),
      roles: rolesByText(first),
      normalization,
      byteFallback,
    });
  }

  /** What of the corpus could not be counted. */
  notes(): readonly string[] {
    return this.#notes;
  }

  /** `tokenizer.json` with a unigram model, and `tokenizer_config.json`. */
  save(): Readonly<Record<string, string>> {
    if (this.#learned === undefined) throw notTrained("unigram", "be saved");
    return writeUnigram(this.#learned.vocabulary);
  }

  /** @throws TokenizerError `TOKENIZER_BAD_FILE`. */
  load(files: Readonly<Record<string, string>>): void {
    this.#become(readUnigram(files));
  }

  #become(vocabulary: UnigramVocabulary): void {
    const others = Object.entries(vocabulary.specialTokens).filter(([, id]) => id !== vocabulary.unknownId);
    this.#learned = {
      vocabulary,
      unknown: vocabulary.pieces[vocabulary.unknownId]?.[0] ?? UNKNOWN,
      specialTokens: Object.fromEntries(others),
      ids: specialIds(vocabulary.specialTokens, vocabulary.roles),
      cache: new WordCache(
        pieceIds({ ...vocabulary, hidden: new Set(Object.values(vocabulary.specialTokens)) }),
      ),
      parts: vocabulary.pieces.map(
        ([piece]) => (vocabulary.byteFallback ? byteOf(piece) : undefined) ?? piece,
      ),
    };
  }
}

/** Spaces spelt as they are go with byte fallback: together they give every text back. */
function spellingOf({ byteFallback }: { readonly byteFallback: boolean }): SpaceSpelling {
  return byteFallback ? "space" : "metaspace";
}

/**
 * Less probable than the characters that a byte's piece is spelt with: so that `<0x41>` written in a text is these six characters, for
 * Hugging Face's libraries too, which look for byte pieces in text.
 */
function scoreOfBytes(learned: readonly ScoredPiece[]): number {
  const least = learned.reduce((smallest, [, score]) => Math.min(smallest, score), 0);
  return readableScore(6 * least - 1);
}

/** Surrogates that are alone become U+FFFD, as always in UTF-8. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

export const unigram = defineTokenizer({
  description: "The most probable pieces of each word, as in SentencePiece, trained on the corpus.",
  options: optionsSchema,
  create(options) {
    checkSpecialTokens(options.specialTokens);
    if (options.specialTokens.includes(UNKNOWN))
      throw new InvalidOptionError(["specialTokens"], `${UNKNOWN} is there anyway; leave it out`);
    checkNormalization(options);
    return new UnigramTokenizer(options);
  },
});
