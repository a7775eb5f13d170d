import { z } from "zod";
import { TokenizerError } from "./errors.ts";
import {
  addedTokensSchema,
  readRoles,
  readTokenizerJson,
  TOKENIZER_JSON,
  writeTokenizerFiles,
} from "./hf-json.ts";
import { metaspaceDecoder, metaspacePreTokenizer } from "./metaspace.ts";
import { type Normalization, normalizerJson, normalizerSchema } from "./normalizer.ts";
import { rolesByText, type SpecialRoles } from "./special-tokens.ts";
import type { ScoredPiece } from "./unigram-trainer.ts";

/** Everything that a unigram tokenizer is. */
export interface UnigramVocabulary {
  /** Piece and score of each id. */
  readonly pieces: readonly ScoredPiece[];
  readonly unknownId: number;
  /** All special tokens, the unknown one too. */
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly roles: SpecialRoles;
  readonly normalization: Normalization;
}

const [split, metaspace] = metaspacePreTokenizer.pretokenizers;

const schema = z.looseObject({
  normalizer: normalizerSchema,
  pre_tokenizer: z.looseObject({
    type: z.literal("Sequence"),
    pretokenizers: z.custom<unknown>(
      (value) => JSON.stringify(value) === JSON.stringify([split, metaspace]),
      "expected the steps that `unigram` itself saves",
    ),
  }),
  post_processor: z.null().optional(),
  added_tokens: addedTokensSchema,
  model: z.looseObject({
    type: z.literal("Unigram"),
    unk_id: z.int().min(0),
    byte_fallback: z.literal(false).optional(),
    vocab: z.array(z.tuple([z.string(), z.number()])),
  }),
});

export function writeUnigram(vocabulary: UnigramVocabulary): Readonly<Record<string, string>> {
  return writeTokenizerFiles({
    specialTokens: vocabulary.specialTokens,
    normalizer: normalizerJson(vocabulary.normalization),
    preTokenizer: metaspacePreTokenizer,
    decoder: metaspaceDecoder,
    model: {
      type: "Unigram",
      unk_id: vocabulary.unknownId,
      vocab: vocabulary.pieces,
      byte_fallback: false,
    },
    roles: vocabulary.roles,
  });
}

/** @throws TokenizerError `TOKENIZER_BAD_FILE`: says which field is not as `unigram` saves it. */
export function readUnigram(files: Readonly<Record<string, string>>): UnigramVocabulary {
  const { model, normalizer, added_tokens: added } = readTokenizerJson(files, schema, "unigram");
  const wrong = (problem: string) =>
    new TokenizerError("TOKENIZER_BAD_FILE", `${TOKENIZER_JSON}: ${problem}.`);
  for (const { content, id } of added)
    if (model.vocab[id]?.[0] !== content)
      throw wrong(`the special token ${JSON.stringify(content)} is not number ${id} of the pieces`);
  const unknown = model.vocab[model.unk_id]?.[0];
  if (unknown === undefined || unknown === "") throw wrong(`unk_id ${model.unk_id} is not the id of a piece`);
  if (new Set(model.vocab.map(([piece]) => piece)).size !== model.vocab.length)
    throw wrong("a piece is there twice");
  const specialTokens = Object.fromEntries([
    [unknown, model.unk_id],
    ...added.map(({ content, id }) => [content, id] as const),
  ]);
  return {
    pieces: model.vocab,
    unknownId: model.unk_id,
    specialTokens,
    roles: { ...rolesByText(Object.keys(specialTokens)), ...readRoles(files, "unigram") },
    normalization: normalizer,
  };
}
