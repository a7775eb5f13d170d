import { z } from "zod";
import { alreadyTrained, emptyCorpus, notTrained, TokenizerError, unknownId } from "./errors.ts";
import {
  plainPipeline,
  readTokenizerJson,
  TOKENIZER_JSON,
  tokensById,
  vocabularySchema,
  writeTokenizerFiles,
} from "./hf-json.ts";
import { defineTokenizer, type Tokenizer } from "./index.ts";

const UNKNOWN = "<unk>";
const UNKNOWN_ID = 0;
const END_OF_TEXT = "<|endoftext|>";
const REPLACEMENT = "\uFFFD";

const savedSchema = z.looseObject({
  ...plainPipeline,
  pre_tokenizer: z.looseObject({ type: z.literal("Split") }),
  model: z.looseObject({
    type: z.literal("WordLevel"),
    unk_token: z.literal(UNKNOWN),
    vocab: vocabularySchema,
  }),
});

/** The characters of a text, by code point; a lone surrogate, which is none, counts as U+FFFD. */
function characters(text: string): string {
  return text.replace(/\p{Surrogate}/gu, REPLACEMENT);
}

/**
 * One id per character (Unicode code point) of the corpus: 0 is `<unk>`, then the characters in the order of their code
 * points, then `<|endoftext|>`.
 *
 * Lossy: a character that the corpus did not have is encoded as `<unk>`, which decodes to U+FFFD. Text made of the
 * corpus's characters comes back exactly.
 */
class CharTokenizer implements Tokenizer {
  /** Token of each id. */
  #tokens: readonly string[] | undefined;
  #ids = new Map<string, number>();

  /** 2 until trained: `<unk>` and `<|endoftext|>`. */
  get vocabSize(): number {
    return this.#tokens?.length ?? 2;
  }

  /** Not `<unk>`, which `encode` does produce. Empty until trained. */
  get specialTokens(): Readonly<Record<string, number>> {
    return this.#tokens === undefined ? {} : { [END_OF_TEXT]: this.#tokens.length - 1 };
  }

  get eosTokenId(): number | undefined {
    return this.specialTokens[END_OF_TEXT];
  }

  /** @throws TokenizerError `TOKENIZER_NOT_TRAINED`. */
  encode(text: string): Int32Array {
    if (this.#tokens === undefined) throw notTrained("char", "encode");
    const ids = new Int32Array(text.length);
    let length = 0;
    for (const character of characters(text)) ids[length++] = this.#ids.get(character) ?? UNKNOWN_ID;
    return ids.slice(0, length);
  }

  /** @throws TokenizerError `TOKENIZER_NOT_TRAINED`, or `TOKENIZER_UNKNOWN_ID`. */
  decode(ids: Iterable<number>): string {
    let text = "";
    for (const id of ids) text += id === UNKNOWN_ID ? REPLACEMENT : this.#token(id);
    return text;
  }

  /** What the id decodes to, in bytes: 3 for `<unk>`. Throws as `decode` does. */
  byteLength(id: number): number {
    if (id === this.eosTokenId) return 0;
    return Buffer.byteLength(id === UNKNOWN_ID ? REPLACEMENT : this.#token(id), "utf8");
  }

  /** @throws TokenizerError `TOKENIZER_ALREADY_TRAINED`, or `TOKENIZER_EMPTY_CORPUS`. */
  async train(texts: AsyncIterable<string>): Promise<void> {
    if (this.#tokens !== undefined) throw alreadyTrained("char");
    const seen = new Set<string>();
    for await (const text of texts) for (const character of characters(text)) seen.add(character);
    if (seen.size === 0) throw emptyCorpus("char");
    const ordered = [...seen].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
    this.#become([UNKNOWN, ...ordered, END_OF_TEXT]);
  }

  /** `tokenizer.json` with a word-level model whose words are the characters. */
  save(): Readonly<Record<string, string>> {
    if (this.#tokens === undefined) throw notTrained("char", "be saved");
    const vocab = Object.fromEntries(this.#tokens.map((token, id) => [token, id]));
    return writeTokenizerFiles({
      specialTokens: this.specialTokens,
      preTokenizer: { type: "Split", pattern: { Regex: "[\\s\\S]" }, behavior: "Isolated", invert: false },
      decoder: { type: "Fuse" },
      model: { type: "WordLevel", vocab, unk_token: UNKNOWN },
      roles: { eos_token: END_OF_TEXT, unk_token: UNKNOWN },
    });
  }

  /** @throws TokenizerError `TOKENIZER_BAD_FILE`. */
  load(files: Readonly<Record<string, string>>): void {
    const tokens = tokensById(Object.entries(readTokenizerJson(files, savedSchema, "char").model.vocab));
    const middle = tokens.slice(1, -1);
    if (
      tokens[0] !== UNKNOWN ||
      tokens.at(-1) !== END_OF_TEXT ||
      middle.some((token) => [...token].length !== 1)
    )
      throw new TokenizerError(
        "TOKENIZER_BAD_FILE",
        `${TOKENIZER_JSON} does not hold a char tokenizer: its tokens must be ${UNKNOWN}, single characters, and ` +
          `${END_OF_TEXT}, in this order.`,
      );
    this.#become(tokens);
  }

  #become(tokens: readonly string[]): void {
    this.#tokens = tokens;
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
  }

  #token(id: number): string {
    if (this.#tokens === undefined) throw notTrained("char", "decode");
    const token = this.#tokens[id];
    if (token === undefined) throw unknownId("char", id, this.vocabSize);
    return token;
  }
}

export const char = defineTokenizer({
  description: "One id per character of the corpus; characters it does not have become <unk>.",
  options: z.strictObject({}),
  create: () => new CharTokenizer(),
});
