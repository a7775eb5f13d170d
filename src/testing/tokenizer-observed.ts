import type { Tokenizer } from "../tokenizers/index.ts";
import { calling } from "./check.ts";
import type { Observation } from "./difference.ts";
import { defaultCorpus, hostileTexts, shown } from "./hostile-text.ts";

/** What a tokenizer is tried on. */
export interface TokenizerSamples {
  /** What it learns from when it has `train`, in pieces cut where a word ends. Default: a few scripts. */
  readonly corpus?: readonly string[];
  /** Texts of its own kind, beside the hostile ones. */
  readonly texts?: readonly string[];
}

/** All texts without lone surrogates that checks encode. */
export function textsOf({ texts = [] }: TokenizerSamples): string[] {
  return [...texts, ...hostileTexts()];
}

/** The same tokenizer, ready to encode: trained, if it can be. */
export async function trained(
  tokenizer: Tokenizer,
  { corpus = defaultCorpus }: TokenizerSamples,
): Promise<Tokenizer> {
  await tokenizer.train?.(
    (async function* () {
      yield* corpus;
    })(),
  );
  return tokenizer;
}

/** The ids of a text as an array. */
export function encoded(tokenizer: Tokenizer, text: string): number[] {
  return calling(`encode(${shown(text)})`, () => Array.from(tokenizer.encode(text)));
}

/** The text of ids; messages show what they were made from. */
export function decoded(tokenizer: Tokenizer, ids: Iterable<number>, what: string): string {
  return calling(`decode(${what})`, () => tokenizer.decode(ids));
}

/** Vocabulary and ids: what equal tokenizers have in common. */
export async function observeTokenizer(built: Tokenizer, samples: TokenizerSamples): Promise<Observation> {
  const tokenizer = await trained(built, samples);
  return {
    ...vocabularyOf(tokenizer),
    ids: Object.fromEntries(textsOf(samples).map((text) => [shown(text), encoded(tokenizer, text)])),
  };
}

export function vocabularyOf({ vocabSize, specialTokens, eosTokenId }: Tokenizer): Observation {
  return { vocabSize, specialTokens: { ...specialTokens }, eosTokenId };
}
