import { TOKENIZER_JSON } from "../tokenizers/hf-json.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { globalRegistries, type Registries } from "./registries.ts";
import { UsageError } from "./usage-error.ts";

/** How well a tokenizer suits a text. */
export interface TokenizerStats {
  readonly tokens: number;
  readonly bytes: number;
  /** What stands between white space. */
  readonly words: number;
  /** Tokens of a word, on average. */
  readonly fertility: number;
  readonly bytesPerToken: number;
  readonly vocabSize: number;
  /** Ids that occur. */
  readonly usedIds: number;
  /** Share of the ids, special ones aside, that occur. */
  readonly coverage: number;
  /** Share of the tokens that stand for what the vocabulary does not have; undefined when the tokenizer does not say which. */
  readonly unknownRate: number | undefined;
}

/** Encodes pieces of text, cut where words end, and counts. */
async function tokenizerStats(tokenizer: Tokenizer, texts: AsyncIterable<string>): Promise<TokenizerStats> {
  const unknown = unknownIdOf(tokenizer);
  const used = new Set<number>();
  let [tokens, bytes, words, unknowns] = [0, 0, 0, 0];
  for await (const text of texts) {
    bytes += Buffer.byteLength(text);
    for (const _ of text.matchAll(/\P{White_Space}+/gu)) words++;
    for (const id of tokenizer.encode(text)) {
      tokens++;
      used.add(id);
      if (id === unknown) unknowns++;
    }
  }
  const { vocabSize, specialTokens = {} } = tokenizer;
  return {
    tokens,
    bytes,
    words,
    fertility: tokens / words,
    bytesPerToken: bytes / tokens,
    vocabSize,
    usedIds: used.size,
    coverage: used.size / (vocabSize - Object.keys(specialTokens).length),
    unknownRate: unknown === undefined ? undefined : unknowns / tokens,
  };
}

/**
 * The same for files, folders or globs.
 *
 * @throws {UsageError} when there is no text in them.
 */
export async function statsOfFiles(
  tokenizer: Tokenizer,
  paths: readonly string[],
  registries: Registries = globalRegistries,
): Promise<TokenizerStats> {
  const loader = await registries.dataLoaders.create("text", { path: [...paths], validation: 0 });
  const texts = loader.texts?.("train");
  const stats = texts === undefined ? undefined : await tokenizerStats(tokenizer, texts);
  if (stats === undefined || stats.words === 0 || stats.tokens === 0)
    throw new UsageError(`there is no text in ${paths.join(", ")}`);
  return stats;
}

/** The id of the unknown, as the tokenizer's `tokenizer.json` has it; −1 when it says that there is none. */
function unknownIdOf(tokenizer: Tokenizer): number | undefined {
  const text = tokenizer.save?.()[TOKENIZER_JSON];
  if (text === undefined) return undefined;
  const { model } = JSON.parse(text) as {
    model?: { unk_id?: number; unk_token?: string | null; vocab?: Record<string, number> };
  };
  if (typeof model?.unk_id === "number") return model.unk_id;
  return model?.vocab?.[model.unk_token ?? ""] ?? -1;
}

/** A stretch of text, and the ids that give it: one, or the few that share the bytes of a character. */
export interface ShownPiece {
  readonly ids: readonly number[];
  readonly text: string;
}

/** A character has at most so many bytes. */
const MOST_IDS = 4;

/** The pieces of an encoded text, each with its text. */
export function shownPieces(tokenizer: Tokenizer, ids: readonly number[]): ShownPiece[] {
  const pieces: ShownPiece[] = [];
  for (let at = 0; at < ids.length; ) {
    const length = pieceLength(tokenizer, ids, at);
    const own = ids.slice(at, at + length);
    pieces.push({ ids: own, text: tokenizer.decode(own) });
    at += length;
  }
  return pieces;
}

/** How many ids it takes until the bytes of a character are together: by then what could not be read has become text. */
function pieceLength(tokenizer: Tokenizer, ids: readonly number[], at: number): number {
  const broken = (length: number) => tokenizer.decode(ids.slice(at, at + length)).split("\uFFFD").length - 1;
  const alone = broken(1);
  if (alone > 0)
    for (let length = 2; length <= Math.min(MOST_IDS, ids.length - at); length++) {
      const text = tokenizer.decode(ids.slice(at, at + length));
      if (broken(length) < alone && !text.endsWith("\uFFFD")) return length;
    }
  return 1;
}
