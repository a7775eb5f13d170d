import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";
import { readBpe, writeBpe } from "./bpe-json.ts";
import { BpeTrainer } from "./bpe-trainer.ts";
import { BpeMerger, type BpeVocabulary } from "./bpe-vocabulary.ts";
import { readBytes } from "./byte-alphabet.ts";
import { alreadyTrained, emptyCorpus, notTrained, unknownId } from "./errors.ts";
import { IdBuffer } from "./id-buffer.ts";
import { defineTokenizer, type Tokenizer } from "./index.ts";
import { detached, forEachWord } from "./pre-tokenizer.ts";

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
  specialTokens: z
    .array(z.string().min(1))
    .default(["<|endoftext|>"])
    .describe(
      "Tokens that no text encodes to; they take the last ids, and the first of them ends a document.",
    ),
});
type BpeOptions = z.output<typeof optionsSchema>;

/** Words kept with their ids: text repeats its words, and a look-up costs a tenth of merging anew. */
const CACHED_WORDS = 65_536;
/** Longer words are rare, and are not kept: so the cache stays under about 20 MB. */
const CACHED_WORD_LENGTH = 64;

/** Everything `encode` and `decode` need, once there is a vocabulary. */
interface Learned {
  readonly vocabulary: BpeVocabulary;
  readonly merger: BpeMerger;
  /** UTF-8 bytes of each id; of a special token, those of its text. */
  readonly bytes: readonly Uint8Array[];
  readonly specialIds: ReadonlySet<number>;
  readonly eosTokenId: number | undefined;
  readonly cache: Map<string, Int32Array>;
}

/**
 * Byte-level byte-pair encoding as GPT-2 has it (Radford et al. 2019, "Language models are unsupervised multitask
 * learners", section 2.2): text is cut into words, and the UTF-8 bytes of a word merge into tokens.
 *
 * `decode(encode(text)) === text`, except that a lone surrogate becomes U+FFFD, as always in UTF-8. Special tokens are
 * never found in text: `"<|endoftext|>"` in a document is 13 ordinary characters.
 */
class BpeTokenizer implements Tokenizer {
  readonly #options: BpeOptions;
  #learned: Learned | undefined;

  constructor(options: BpeOptions) {
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

  get eosTokenId(): number | undefined {
    return this.#learned?.eosTokenId;
  }

  /** @throws TokenizerError `TOKENIZER_NOT_TRAINED`. */
  encode(text: string): Int32Array {
    if (this.#learned === undefined) throw notTrained("bpe", "encode");
    const { cache, merger } = this.#learned;
    const ids = new IdBuffer(text.length >> 1);
    forEachWord(text, (word) => {
      let wordIds = cache.get(word);
      if (wordIds === undefined) {
        wordIds = merger.merge(Buffer.from(word, "utf8"));
        if (word.length <= CACHED_WORD_LENGTH) {
          if (cache.size >= CACHED_WORDS) cache.clear();
          cache.set(detached(word), wordIds);
        }
      }
      ids.append(wordIds);
    });
    return ids.toArray();
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

  /** Throws as `decode` does. */
  byteLength(id: number): number {
    const { length } = this.#bytes(id, "tell the bytes of an id");
    return this.#learned?.specialIds.has(id) ? 0 : length;
  }

  /** @throws TokenizerError `TOKENIZER_ALREADY_TRAINED`, or `TOKENIZER_EMPTY_CORPUS`. */
  async train(texts: AsyncIterable<string>): Promise<void> {
    if (this.#learned !== undefined) throw alreadyTrained("bpe");
    const trainer = new BpeTrainer(this.#options);
    let empty = true;
    for await (const text of texts) {
      trainer.add(text);
      empty &&= text === "";
    }
    if (empty) throw emptyCorpus("bpe");
    this.#become(trainer.finish(), this.#options.specialTokens[0]);
  }

  /** A `tokenizer.json` with the same ids for the same text, and a `tokenizer_config.json`. */
  save(): Readonly<Record<string, string>> {
    if (this.#learned === undefined) throw notTrained("bpe", "be saved");
    const { vocabulary, eosTokenId } = this.#learned;
    return writeBpe(vocabulary, eosTokenId === undefined ? undefined : vocabulary.spellings[eosTokenId]);
  }

  /**
   * Takes any byte-level `tokenizer.json` of GPT-2's kind, whoever trained it, in place of the options.
   *
   * @throws TokenizerError `TOKENIZER_BAD_FILE`.
   */
  load(files: Readonly<Record<string, string>>): void {
    const { vocabulary, eosToken } = readBpe(files);
    this.#become(vocabulary, eosToken ?? this.#options.specialTokens[0]);
  }

  #become(vocabulary: BpeVocabulary, eosToken: string | undefined): void {
    const specialIds = new Set(Object.values(vocabulary.specialTokens));
    this.#learned = {
      vocabulary,
      merger: new BpeMerger(vocabulary),
      bytes: vocabulary.spellings.map((spelling, id) =>
        specialIds.has(id) ? Buffer.from(spelling) : (readBytes(spelling) ?? Buffer.from(spelling)),
      ),
      specialIds,
      eosTokenId: Object.entries(vocabulary.specialTokens).find(([token]) => token === eosToken)?.[1],
      cache: new Map(),
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
  for (const [i, token] of specialTokens.entries()) {
    if (specialTokens.indexOf(token) !== i)
      throw new InvalidOptionError(["specialTokens", i], `${JSON.stringify(token)} is listed twice`);
    if (/\p{Surrogate}/u.test(token))
      throw new InvalidOptionError(["specialTokens", i], "a special token may not hold a lone surrogate");
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
    return new BpeTokenizer(options);
  },
});
