import { z } from "zod";
import { BpeMerger } from "../bpe-vocabulary.ts";
import { bytePieces } from "../byte-pieces.ts";
import { TokenizerError } from "../errors.ts";
import { TOKENIZER_JSON, vocabularySchema } from "../hf-json.ts";
import type { Merge } from "../merge-learning.ts";
import { pieceIds } from "../unigram-pieces.ts";
import { longestMatches } from "../wordpiece-matches.ts";
import { unknownKind } from "./unknown-kind.ts";

/** What makes ids of words. */
export interface WordModel {
  /** Every token with its id, special ones too. */
  readonly idOf: ReadonlyMap<string, number>;
  /** The token that stands for what the vocabulary does not have. */
  readonly unknown: string | undefined;
  /** @param special Tokens that no word may become, whatever it spells. */
  encoder(special: ReadonlySet<string>): (word: string) => Int32Array;
}

const vocabulary = vocabularySchema.transform((json, context): ReadonlyMap<string, number> => {
  const entries = Object.entries(json);
  for (const [token, id] of entries)
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0) {
      context.addIssue({ code: "custom", message: `the id of ${JSON.stringify(token)} is no whole number` });
      return z.NEVER;
    }
  return new Map(entries as [string, number][]);
});

const bpe = z
  .looseObject({
    type: z.literal("BPE"),
    dropout: z
      .literal(0, "expected none: ids that are drawn by lot are no ids to train or evaluate with")
      .nullish(),
    unk_token: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    end_of_word_suffix: z.string().nullish(),
    fuse_unk: z.boolean().default(false),
    byte_fallback: z.boolean().default(false),
    ignore_merges: z.boolean().default(false),
    vocab: vocabulary,
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  })
  .transform(
    (json): WordModel => ({
      idOf: json.vocab,
      unknown: json.unk_token ?? undefined,
      encoder: (special) => bpeEncoder(json, special),
    }),
  );

interface BpeSettings {
  readonly vocab: ReadonlyMap<string, number>;
  readonly merges: readonly (string | readonly [string, string])[];
  readonly unk_token?: string | null | undefined;
  readonly continuing_subword_prefix?: string | null | undefined;
  readonly end_of_word_suffix?: string | null | undefined;
  readonly fuse_unk: boolean;
  readonly byte_fallback: boolean;
  readonly ignore_merges: boolean;
}

function bpeEncoder(settings: BpeSettings, special: ReadonlySet<string>): (word: string) => Int32Array {
  const { vocab, fuse_unk: fuses, ignore_merges: ignoresMerges } = settings;
  const prefix = settings.continuing_subword_prefix ?? "";
  const suffix = settings.end_of_word_suffix ?? "";
  const find = (token: string, rank: number): number => {
    const id = vocab.get(token);
    if (id !== undefined) return id;
    throw new TokenizerError(
      "TOKENIZER_BAD_FILE",
      `${TOKENIZER_JSON}: merge ${rank} needs the token ${JSON.stringify(token)}, which is not in the vocabulary.`,
    );
  };
  const merges = settings.merges.map((merge, rank): Merge => {
    const [left = "", right = ""] = typeof merge === "string" ? merge.split(" ") : merge;
    return [find(left, rank), find(right, rank), find(left + right.slice(prefix.length), rank)];
  });
  const merger = new BpeMerger({ merges });
  const unknown = settings.unk_token == null ? undefined : vocab.get(settings.unk_token);
  const bytes = settings.byte_fallback ? bytePieces.map((piece) => vocab.get(piece)) : [];
  const bytesOf = (symbol: string): readonly number[] | undefined => {
    if (bytes.length === 0) return undefined;
    const ids = Array.from(Buffer.from(symbol, "utf8"), (byte) => bytes[byte]);
    return ids.every((id) => id !== undefined) ? ids : undefined;
  };
  return (word) => {
    const whole = ignoresMerges && !special.has(word) ? vocab.get(word) : undefined;
    if (whole !== undefined) return Int32Array.of(whole);
    const symbols: number[] = [];
    let isUnknown = false;
    for (let at = 0; at < word.length; ) {
      const character = String.fromCodePoint(word.codePointAt(at) ?? 0);
      const end = at + character.length;
      const symbol = `${at === 0 ? "" : prefix}${character}${end === word.length ? suffix : ""}`;
      at = end;
      const id = special.has(symbol) ? undefined : vocab.get(symbol);
      const spelt = id === undefined ? bytesOf(symbol) : [id];
      if (spelt !== undefined) symbols.push(...spelt);
      else if (unknown !== undefined && !(fuses && isUnknown)) symbols.push(unknown);
      isUnknown = spelt === undefined;
    }
    return merger.mergeSymbols(Int32Array.from(symbols));
  };
}

const wordPiece = z
  .looseObject({
    type: z.literal("WordPiece"),
    unk_token: z.string().default("[UNK]"),
    continuing_subword_prefix: z.string().default("##"),
    max_input_chars_per_word: z.int().min(0).default(100),
    vocab: vocabulary,
  })
  .transform((json, context): WordModel => {
    const unknown = json.vocab.get(json.unk_token);
    if (unknown === undefined) return noUnknown(json.unk_token, context);
    return {
      idOf: json.vocab,
      unknown: json.unk_token,
      encoder: (special) =>
        longestMatches({
          pieces: [...json.vocab].filter(([piece]) => !special.has(piece)),
          prefix: json.continuing_subword_prefix,
          longestWord: json.max_input_chars_per_word,
          unknown,
        }),
    };
  });

const wordLevel = z
  .looseObject({ type: z.literal("WordLevel"), unk_token: z.string().default("<unk>"), vocab: vocabulary })
  .transform((json, context): WordModel => {
    const unknown = json.vocab.get(json.unk_token);
    if (unknown === undefined) return noUnknown(json.unk_token, context);
    return {
      idOf: json.vocab,
      unknown: json.unk_token,
      encoder: (special) => (word) =>
        Int32Array.of(special.has(word) ? unknown : (json.vocab.get(word) ?? unknown)),
    };
  });

const unigram = z
  .looseObject({
    type: z.literal("Unigram"),
    unk_id: z.int().min(0).nullish(),
    byte_fallback: z.boolean().default(false),
    vocab: z.array(z.tuple([z.string(), z.number()])),
  })
  .transform((json, context): WordModel => {
    const unknownId = json.unk_id ?? -1;
    const unknown = json.vocab[unknownId]?.[0];
    if (unknown === undefined) return noUnknown(`number ${json.unk_id ?? "unk_id"}`, context);
    const idOf = new Map(json.vocab.map(([piece], id) => [piece, id]));
    return {
      idOf,
      unknown,
      encoder: (special) =>
        pieceIds({
          pieces: json.vocab,
          unknownId,
          hidden: new Set(json.vocab.flatMap(([piece], id) => (special.has(piece) ? [id] : []))),
          byteFallback: json.byte_fallback && bytePieces.every((piece) => idOf.has(piece)),
        }),
    };
  });

function noUnknown(token: string, context: z.core.$RefinementCtx): never {
  context.addIssue({
    code: "custom",
    message: `the token for what the vocabulary does not have, ${token}, is not in it`,
  });
  return z.NEVER;
}

/** `model` of a `tokenizer.json`: all four kinds. The oldest files have byte-pair encoding without saying so. */
export const modelSchema = z.preprocess(
  (json) => (typeof json === "object" && json !== null && "merges" in json ? { type: "BPE", ...json } : json),
  z.discriminatedUnion("type", [bpe, wordPiece, wordLevel, unigram], { error: unknownKind("model") }),
);
