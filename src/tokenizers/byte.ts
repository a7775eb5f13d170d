import { z } from "zod";
import { idOfByte, spellBytes } from "./byte-alphabet.ts";
import { TokenizerError, unknownId } from "./errors.ts";
import {
  byteLevel,
  plainPipeline,
  readTokenizerJson,
  TOKENIZER_JSON,
  vocabularySchema,
  writeTokenizerFiles,
} from "./hf-json.ts";
import { defineTokenizer, type Tokenizer } from "./index.ts";

const END_OF_TEXT = "<|endoftext|>";
const END_OF_TEXT_ID = 256;

const savedSchema = z.looseObject({
  ...plainPipeline,
  pre_tokenizer: z.looseObject({ type: z.literal("ByteLevel"), use_regex: z.literal(false) }),
  model: z.looseObject({
    type: z.literal("BPE"),
    vocab: vocabularySchema,
    merges: z.array(z.unknown()).length(0),
  }),
});

/**
 * One id per UTF-8 byte, which is the byte, and 256 for `<|endoftext|>`. Nothing to train, and no text it cannot hold.
 * `decode(encode(text)) === text`, except that a lone surrogate becomes U+FFFD, as always in UTF-8.
 */
class ByteTokenizer implements Tokenizer {
  readonly vocabSize = 257;
  readonly specialTokens = { [END_OF_TEXT]: END_OF_TEXT_ID };
  readonly eosTokenId = END_OF_TEXT_ID;

  encode(text: string): Int32Array {
    return Int32Array.from(Buffer.from(text, "utf8"));
  }

  /** @throws TokenizerError `TOKENIZER_UNKNOWN_ID` for what is no integer from 0 to 256. */
  decode(ids: Iterable<number>): string {
    const parts: Uint8Array[] = [];
    for (const id of ids) {
      this.byteLength(id);
      parts.push(id === END_OF_TEXT_ID ? Buffer.from(END_OF_TEXT) : Uint8Array.of(id));
    }
    return Buffer.concat(parts).toString("utf8");
  }

  /** @throws TokenizerError `TOKENIZER_UNKNOWN_ID`. */
  byteLength(id: number): number {
    if (!Number.isInteger(id) || id < 0 || id > END_OF_TEXT_ID) throw unknownId("byte", id, this.vocabSize);
    return id === END_OF_TEXT_ID ? 0 : 1;
  }

  /** `tokenizer.json` with byte-pair encoding of no merges. */
  save(): Readonly<Record<string, string>> {
    const vocab: Record<string, number> = {};
    for (let byte = 0; byte < 256; byte++) vocab[spellBytes([byte])] = byte;
    vocab[END_OF_TEXT] = END_OF_TEXT_ID;
    return writeTokenizerFiles({
      specialTokens: this.specialTokens,
      preTokenizer: byteLevel(false),
      decoder: byteLevel(false),
      model: { type: "BPE", dropout: null, unk_token: null, fuse_unk: false, vocab, merges: [] },
      roles: { eos_token: END_OF_TEXT },
    });
  }

  /**
   * There is nothing to restore: checks that the files are of a byte tokenizer.
   *
   * @throws TokenizerError `TOKENIZER_BAD_FILE`.
   */
  load(files: Readonly<Record<string, string>>): void {
    const { vocab } = readTokenizerJson(files, savedSchema, "byte").model;
    const same =
      Object.keys(vocab).length === this.vocabSize &&
      vocab[END_OF_TEXT] === END_OF_TEXT_ID &&
      idOfByte.every((_, byte) => vocab[spellBytes([byte])] === byte);
    if (!same)
      throw new TokenizerError(
        "TOKENIZER_BAD_FILE",
        `${TOKENIZER_JSON} does not hold the byte tokenizer: each byte must be its own id, and ${END_OF_TEXT} 256.`,
      );
  }
}

export const byte = defineTokenizer({
  description: "One id per UTF-8 byte.",
  options: z.strictObject({}),
  create: () => new ByteTokenizer(),
});
