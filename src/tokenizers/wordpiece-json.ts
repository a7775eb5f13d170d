import { z } from "zod";
import type { BertTextOptions } from "./bert-text.ts";
import { TokenizerError } from "./errors.ts";
import {
  addedTokensSchema,
  readRoles,
  readTokenizerJson,
  TOKENIZER_JSON,
  tokensById,
  vocabularySchema,
  writeTokenizerFiles,
} from "./hf-json.ts";
import { formOf, normalizerJson, unchanged, unicodeFormSchema } from "./normalizer.ts";
import { rolesByText, type SpecialRoles } from "./special-tokens.ts";
import { CONTINUING } from "./wordpiece-trainer.ts";

/** Everything that a WordPiece tokenizer is. */
export interface WordPieceVocabulary {
  /** Piece of each id. */
  readonly pieces: readonly string[];
  readonly unknown: string;
  /** All special tokens, the unknown one too. */
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly roles: SpecialRoles;
  readonly text: BertTextOptions;
  /** Words of more characters are unknown as a whole. */
  readonly longestWord: number;
}

const bertNormalizer = z.looseObject({
  type: z.literal("BertNormalizer"),
  clean_text: z.literal(true),
  handle_chinese_chars: z.boolean(),
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean(),
});

/** What `wordpiece` can be: everything that would give other ids is refused by name. */
const schema = z.looseObject({
  normalizer: z.union(
    [
      bertNormalizer.transform((bert) => ({ bert, form: "none" as const })),
      z
        .looseObject({
          type: z.literal("Sequence"),
          normalizers: z.tuple([unicodeFormSchema, bertNormalizer]),
        })
        .transform(({ normalizers: [{ type }, bert] }) => ({ bert, form: formOf(type) })),
    ],
    "expected a BertNormalizer with clean_text, or NFC, NFD, NFKC or NFKD and then one",
  ),
  pre_tokenizer: z.looseObject({ type: z.literal("BertPreTokenizer") }),
  post_processor: z.looseObject({ type: z.enum(["TemplateProcessing", "BertProcessing"]) }).nullish(),
  added_tokens: addedTokensSchema,
  model: z.looseObject({
    type: z.literal("WordPiece"),
    unk_token: z.string(),
    continuing_subword_prefix: z.literal(CONTINUING),
    max_input_chars_per_word: z.int().min(1),
    vocab: vocabularySchema,
  }),
});

/** Writes `tokenizer.json`, with `[CLS] text [SEP]` as what Hugging Face libraries add, and `tokenizer_config.json`. */
export function writeWordPiece(vocabulary: WordPieceVocabulary): Readonly<Record<string, string>> {
  const { pieces, unknown, specialTokens, roles, text } = vocabulary;
  const bert = {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: text.handleChineseChars,
    strip_accents: text.stripAccents,
    lowercase: text.lowercase,
  };
  const form = normalizerJson({ ...unchanged, normalizer: text.normalizer });
  return writeTokenizerFiles({
    specialTokens,
    normalizer: form === null ? bert : { type: "Sequence", normalizers: [form, bert] },
    preTokenizer: { type: "BertPreTokenizer" },
    postProcessor: template(roles, specialTokens),
    decoder: { type: "WordPiece", prefix: CONTINUING, cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: unknown,
      continuing_subword_prefix: CONTINUING,
      max_input_chars_per_word: vocabulary.longestWord,
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
    },
    roles,
  });
}

/** `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, which is what our trainers make of texts for encoders. */
function template({ cls_token: cls, sep_token: sep }: SpecialRoles, ids: Readonly<Record<string, number>>) {
  if (cls === undefined || sep === undefined) return null;
  const special = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
  const sequence = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  const single = [special(cls, 0), sequence("A", 0), special(sep, 0)];
  return {
    type: "TemplateProcessing",
    single,
    pair: [...single, sequence("B", 1), special(sep, 1)],
    special_tokens: Object.fromEntries(
      [cls, sep].map((token) => [token, { id: token, ids: [ids[token]], tokens: [token] }]),
    ),
  };
}

/**
 * Reads what BERT's `tokenizer.json` holds, whoever trained it.
 *
 * @throws TokenizerError `TOKENIZER_BAD_FILE`: says which field is not BERT's.
 */
export function readWordPiece(files: Readonly<Record<string, string>>): WordPieceVocabulary {
  const { model, normalizer, added_tokens: added } = readTokenizerJson(files, schema, "wordpiece");
  const specialTokens = Object.fromEntries(added.map(({ content, id }) => [content, id]));
  const pieces = tokensById(new Map([...Object.entries(model.vocab), ...Object.entries(specialTokens)]));
  const unknown = pieces.indexOf(model.unk_token);
  if (unknown < 0)
    throw new TokenizerError(
      "TOKENIZER_BAD_FILE",
      `${TOKENIZER_JSON}: the token for unknown words, ${JSON.stringify(model.unk_token)}, is not in the vocabulary.`,
    );
  return {
    pieces,
    unknown: model.unk_token,
    specialTokens: { ...specialTokens, [model.unk_token]: unknown },
    roles: { ...rolesByText(Object.keys(specialTokens)), ...readRoles(files, "wordpiece") },
    text: {
      normalizer: normalizer.form,
      lowercase: normalizer.bert.lowercase,
      stripAccents: normalizer.bert.strip_accents ?? normalizer.bert.lowercase,
      handleChineseChars: normalizer.bert.handle_chinese_chars,
    },
    longestWord: model.max_input_chars_per_word,
  };
}
