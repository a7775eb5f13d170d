import { z } from "zod";
import { bytePieces } from "./byte-pieces.ts";
import { TokenizerError } from "./errors.ts";
import {
  addedTokensSchema,
  readRoles,
  readTokenizerJson,
  TOKENIZER_JSON,
  writeTokenizerFiles,
} from "./hf-json.ts";
import { type SpaceSpelling, spellingSteps } from "./metaspace.ts";
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
  /** Whether bytes stand for characters without a piece; such a vocabulary spells spaces as they are. */
  readonly byteFallback: boolean;
}

/** Which of the two ways to cut words a pipeline is. */
function spellingOf(steps: unknown): SpaceSpelling | undefined {
  return (["metaspace", "space"] as const).find(
    (spelling) => JSON.stringify(steps) === JSON.stringify(spellingSteps[spelling].preTokenizer),
  );
}

const schema = z.looseObject({
  normalizer: normalizerSchema,
  pre_tokenizer: z.custom<unknown>(
    (value) => spellingOf(value) !== undefined,
    "expected the steps that `unigram` itself saves",
  ),
  post_processor: z.null().optional(),
  added_tokens: addedTokensSchema,
  model: z.looseObject({
    type: z.literal("Unigram"),
    unk_id: z.int().min(0),
    byte_fallback: z.boolean().default(false),
    vocab: z.array(z.tuple([z.string(), z.number()])),
  }),
});

export function writeUnigram(vocabulary: UnigramVocabulary): Readonly<Record<string, string>> {
  const { byteFallback } = vocabulary;
  return writeTokenizerFiles({
    specialTokens: vocabulary.specialTokens,
    normalizer: normalizerJson(vocabulary.normalization),
    ...spellingSteps[byteFallback ? "space" : "metaspace"],
    model: {
      type: "Unigram",
      unk_id: vocabulary.unknownId,
      vocab: vocabulary.pieces,
      byte_fallback: byteFallback,
    },
    roles: vocabulary.roles,
  });
}

/** @throws TokenizerError `TOKENIZER_BAD_FILE`: says which field is not as `unigram` saves it. */
export function readUnigram(files: Readonly<Record<string, string>>): UnigramVocabulary {
  const json = readTokenizerJson(files, schema, "unigram");
  const { model, normalizer, added_tokens: added } = json;
  const wrong = (problem: string) =>
    new TokenizerError("TOKENIZER_BAD_FILE", `${TOKENIZER_JSON}: ${problem}.`);
  for (const { content, id } of added)
    if (model.vocab[id]?.[0] !== content)
      throw wrong(`the special token ${JSON.stringify(content)} is not number ${id} of the pieces`);
  const unknown = model.vocab[model.unk_id]?.[0];
  if (unknown === undefined || unknown === "") throw wrong(`unk_id ${model.unk_id} is not the id of a piece`);
  const pieces = new Set(model.vocab.map(([piece]) => piece));
  if (pieces.size !== model.vocab.length) throw wrong("a piece is there twice");
  const byteFallback = model.byte_fallback;
  if (byteFallback !== (spellingOf(json.pre_tokenizer) === "space"))
    throw wrong("byte_fallback and the words do not go together as `unigram` saves them");
  const missing = byteFallback ? bytePieces.find((piece) => !pieces.has(piece)) : undefined;
  if (missing !== undefined) throw wrong(`byte_fallback needs the piece ${missing}, which is not there`);
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
    byteFallback,
  };
}
