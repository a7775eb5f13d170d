import { z } from "zod";
import type { BpeVocabulary } from "./bpe-vocabulary.ts";
import { readBytes, spellBytes } from "./byte-alphabet.ts";
import { TokenizerError } from "./errors.ts";
import {
  byteLevel,
  plainPipeline,
  readRoles,
  readTokenizerJson,
  TOKENIZER_JSON,
  tokensById,
  vocabularySchema,
  writeTokenizerFiles,
} from "./hf-json.ts";
import type { Merge } from "./merge-learning.ts";
import { type Normalization, normalizerJson, normalizerSchema } from "./normalizer.ts";
import type { SpecialRoles } from "./special-tokens.ts";

const absent = z.literal("").nullish();

/** The regular expression of o200k_base in tiktoken, as Hugging Face's files have it. */
const O200K = [
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
  "\\p{N}{1,3}",
  " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*",
  "\\s*[\\r\\n]+",
  "\\s+(?!\\S)",
  "\\s+",
].join("|");

const gpt2Words = z.looseObject({
  type: z.literal("ByteLevel"),
  add_prefix_space: z.literal(false),
  use_regex: z.literal(true).default(true),
});
const o200kWords = z.looseObject({
  type: z.literal("Split"),
  pattern: z.strictObject({ Regex: z.literal(O200K) }),
  behavior: z.enum(["Isolated", "Removed"]),
  invert: z.boolean(),
});
const bytesOnly = z.looseObject({
  type: z.literal("ByteLevel"),
  add_prefix_space: z.literal(false),
  use_regex: z.literal(false),
});

/** How text becomes words. */
export interface BpeWords {
  readonly preTokenizer: "gpt2" | "o200k";
  readonly normalization: Normalization;
}

/** What `bpe` can be: everything that would give other ids is refused by name. */
const schema = z.looseObject({
  ...plainPipeline,
  // What is added around texts is for trainers to say.
  post_processor: z
    .looseObject({
      type: z.enum(["ByteLevel", "RobertaProcessing", "BertProcessing", "TemplateProcessing", "Sequence"]),
    })
    .nullish(),
  normalizer: normalizerSchema,
  pre_tokenizer: z.union(
    [
      gpt2Words.transform(() => "gpt2" as const),
      z
        .looseObject({ type: z.literal("Sequence"), pretokenizers: z.tuple([o200kWords, bytesOnly]) })
        .transform(() => "o200k" as const),
    ],
    {
      error:
        "expected GPT-2's ByteLevel (add_prefix_space false, use_regex true), or o200k's Split before ByteLevel",
    },
  ),
  model: z.looseObject({
    type: z.literal("BPE"),
    dropout: z.null().optional(),
    continuing_subword_prefix: absent,
    end_of_word_suffix: absent,
    byte_fallback: z.literal(false).optional(),
    ignore_merges: z.literal(false).optional(),
    vocab: vocabularySchema,
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

const o200kSteps = {
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex: O200K }, behavior: "Isolated", invert: false },
    byteLevel(false),
  ],
};

/** Writes a vocabulary as `tokenizer.json` and `tokenizer_config.json`. */
export function writeBpe(
  vocabulary: BpeVocabulary,
  roles: SpecialRoles,
  { preTokenizer, normalization }: BpeWords,
): Readonly<Record<string, string>> {
  const { spellings, merges, specialTokens } = vocabulary;
  return writeTokenizerFiles({
    specialTokens,
    normalizer: normalizerJson(normalization),
    preTokenizer: preTokenizer === "gpt2" ? byteLevel(true) : o200kSteps,
    decoder: byteLevel(true),
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(spellings.map((spelling, id) => [spelling, id])),
      // As text, which readers from before 2024 need too; the byte alphabet has no space.
      merges: merges.map(([left, right]) => `${spellings[left]} ${spellings[right]}`),
    },
    roles,
  });
}

/**
 * Reads a vocabulary from `tokenizer.json`, and which token plays which role from `tokenizer_config.json` if it is there.
 *
 * @throws TokenizerError `TOKENIZER_BAD_FILE`: says which field is not GPT-2's, or which token or merge is not in the vocabulary.
 */
export function readBpe(files: Readonly<Record<string, string>>): {
  readonly vocabulary: BpeVocabulary;
  readonly roles: SpecialRoles;
  readonly words: BpeWords;
} {
  const { model, added_tokens: addedTokens, ...steps } = readTokenizerJson(files, schema, "bpe");
  const specialTokens = Object.fromEntries(addedTokens.map((token) => [token.content, token.id]));
  // Added tokens are in the vocabulary too, or only beside it; an id of its own for one that is in both is an error.
  const entries = new Map<string, unknown>([
    ...Object.entries(model.vocab),
    ...Object.entries(specialTokens),
  ]);
  const spellings = tokensById(entries);
  const idOf = new Map(spellings.map((spelling, id) => [spelling, id]));
  const find = (spelling: string, where: string): number => {
    const id = idOf.get(spelling);
    if (id === undefined)
      throw new TokenizerError(
        "TOKENIZER_BAD_FILE",
        `${TOKENIZER_JSON}: ${where} is not in the vocabulary: ${spelling}`,
      );
    return id;
  };
  for (const [id, spelling] of spellings.entries())
    if (!Object.hasOwn(specialTokens, spelling) && readBytes(spelling) === undefined)
      throw new TokenizerError(
        "TOKENIZER_BAD_FILE",
        `${TOKENIZER_JSON}: token ${id}, ${JSON.stringify(spelling)}, is not written in the byte alphabet.`,
      );
  const merges = model.merges.map((merge, rank): Merge => {
    const [left = "", right = ""] = typeof merge === "string" ? merge.split(" ") : merge;
    const where = `merge ${rank}`;
    return [find(left, where), find(right, where), find(left + right, where)];
  });
  const byteIds = Int32Array.from({ length: 256 }, (_, byte) => find(spellBytes([byte]), `byte ${byte}`));
  return {
    vocabulary: { spellings, byteIds, merges, specialTokens },
    roles: readRoles(files, "bpe"),
    words: { preTokenizer: steps.pre_tokenizer, normalization: steps.normalizer },
  };
}
