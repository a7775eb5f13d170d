import {
  type ArgumentsFor,
  type Definition,
  globalRegistry,
  type RegistryKind,
  type ResultFor,
} from "../registry/index.ts";
import type { bpe } from "./bpe.ts";
import type { byte } from "./byte.ts";
import type { char } from "./char.ts";
import type { hf } from "./hf.ts";
import type { unigram } from "./unigram.ts";
import type { whitespace } from "./whitespace.ts";
import type { wordpiece } from "./wordpiece.ts";

/**
 * Text to token ids and back.
 *
 * Byte-level tokenizers round-trip exactly: `decode(encode(text)) === text` for every string without lone surrogates.
 * Ids are integers in `[0, vocabSize)`.
 */
export interface Tokenizer {
  /** Number of ids; grows only in `train` and `load`. */
  readonly vocabSize: number;
  /** Special tokens by their text, for example `{ "<|endoftext|>": 1023 }`. `encode` never produces them from text. */
  readonly specialTokens?: Readonly<Record<string, number>>;
  /** The id that ends a document, when there is one; generation stops there. */
  readonly eosTokenId?: number | undefined;
  /** The id that rows are padded with; without one it is 0. */
  readonly padTokenId?: number | undefined;
  /** The ids that encoders read before a text and after each (`[CLS] text [SEP] pair [SEP]`); trainers add them. */
  readonly clsTokenId?: number | undefined;
  readonly sepTokenId?: number | undefined;
  /** The id that hides a token from a masked language model. */
  readonly maskTokenId?: number | undefined;
  encode(text: string): ArrayLike<number> & Iterable<number>;
  decode(ids: Iterable<number>): string;
  /**
   * UTF-8 bytes of text that one id stands for (0 for special tokens). There only where those of a text's ids add up to the bytes of
   * the text; without it, bits per byte measures what the ids of the split have on average.
   */
  byteLength?: ((id: number) => number) | undefined;
  /** Learns a vocabulary from pieces of text (cut only where a word ends). Called once, before the model is built. */
  train?(texts: AsyncIterable<string>): Promise<void>;
  /** What whoever trains with it should know of what it learned, as sentences: how much of the corpus it left out, and why. */
  notes?(): readonly string[];
  /** The files that restore this tokenizer, by name. Built-ins give a Hugging Face `tokenizer.json`. Required with `train`. */
  save?(): Readonly<Record<string, string>>;
  /** Restores what `save` gave. Required with `save`. */
  load?(files: Readonly<Record<string, string>>): void;
}

function checkTokenizer(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "an object with encode, decode and vocabSize";
  const tokenizer = value as Partial<Tokenizer>;
  if (typeof tokenizer.encode !== "function") return "a function `encode(text)`";
  if (typeof tokenizer.decode !== "function") return "a function `decode(ids)`";
  if (!Number.isInteger(tokenizer.vocabSize)) return "an integer `vocabSize`";
  if (tokenizer.train !== undefined && (tokenizer.save === undefined || tokenizer.load === undefined))
    return "`save` and `load` beside `train` (what was learned must be kept)";
  if ((tokenizer.save === undefined) !== (tokenizer.load === undefined))
    return "`save` and `load` together, or neither";
  return undefined;
}

export const tokenizers: RegistryKind<Tokenizer> = {
  kind: "tokenizers",
  noun: "tokenizer",
  group: "codex_ml.tokenizers",
  check: checkTokenizer,
  builtins: {
    byte: { load: async () => (await import("./byte.ts")).byte, description: "One id per UTF-8 byte." },
    char: {
      load: async () => (await import("./char.ts")).char,
      description: "One id per character of the corpus.",
    },
    whitespace: {
      load: async () => (await import("./whitespace.ts")).whitespace,
      description: "One id per word between white space.",
    },
    bpe: {
      load: async () => (await import("./bpe.ts")).bpe,
      description: "Byte-level byte-pair encoding, trained on the corpus.",
    },
    wordpiece: {
      load: async () => (await import("./wordpiece.ts")).wordpiece,
      description: "WordPiece as in BERT, trained on the corpus; for encoders.",
    },
    unigram: {
      load: async () => (await import("./unigram.ts")).unigram,
      description: "The most probable pieces of each word, as in SentencePiece.",
    },
    hf: {
      load: async () => (await import("./hf.ts")).hf,
      description: "Any Hugging Face tokenizer.json.",
    },
  },
};

export const tokenizerRegistry = globalRegistry(tokenizers);

/** Registers a tokenizer under a name; see {@link Registry.register} for the three forms. */
export const registerTokenizer = tokenizerRegistry.register;

declare global {
  namespace CodexMl {
    /** Factories by name, for the types of {@link getTokenizer}. Packages and projects add theirs. */
    interface Tokenizers {
      byte: typeof byte;
      char: typeof char;
      whitespace: typeof whitespace;
      bpe: typeof bpe;
      wordpiece: typeof wordpiece;
      unigram: typeof unigram;
      hf: typeof hf;
    }
  }
}

/**
 * Imports, validates the options of, and builds the tokenizer `name`. Where `CodexMl.Tokenizers` knows the name, options and result
 * have its types.
 */
export function getTokenizer<Name extends string>(
  name: Name | keyof CodexMl.Tokenizers,
  ...[options]: ArgumentsFor<CodexMl.Tokenizers, Name>
): Promise<ResultFor<CodexMl.Tokenizers, Name, Tokenizer>> {
  return tokenizerRegistry.create(name, options) as Promise<ResultFor<CodexMl.Tokenizers, Name, Tokenizer>>;
}

/** Describes a tokenizer: description, options schema, `create`. */
export function defineTokenizer<Input, Output>(
  definition: Definition<Tokenizer, Input, Output>,
): Definition<Tokenizer, Input, Output> {
  return definition;
}
