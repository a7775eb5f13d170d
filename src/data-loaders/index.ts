import {
  type ArgumentsFor,
  type Definition,
  globalRegistry,
  type RegistryKind,
  type ResultFor,
} from "../registry/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import type { code } from "./code.ts";
import type { csv } from "./csv.ts";
import type { jsonl } from "./jsonl.ts";
import type { lines } from "./lines.ts";
import type { memory } from "./memory.ts";
import type { parquet } from "./parquet.ts";
import type { text } from "./text.ts";

export type Split = "train" | "validation" | "test";

/** One item of a data loader: text, or ids that are already tokenized. */
export type Example = (TextExample | TokenExample) & {
  /** The class that it belongs to, one of the loader's `labels`; several, or none, where classes do not exclude each other. */
  readonly label?: string | readonly string[];
};

export interface TextExample {
  readonly text: string;
  /** A second text, for tasks about pairs. */
  readonly textPair?: string;
}

export interface TokenExample {
  readonly inputIds: ArrayLike<number>;
  /**
   * As long as `inputIds`, and not shifted (−100: does not count); the trainer shifts, once. Without it, every id but the
   * first is to be predicted.
   */
  readonly labels?: ArrayLike<number>;
  /**
   * As long as `inputIds`: the number, from 1, of the document that each id belongs to, where one example holds several. No
   * position attends to another document's.
   */
  readonly documentIds?: ArrayLike<number>;
}

export interface ExampleRequest {
  readonly tokenizer: Tokenizer;
  /** Positions the model sees, T; an example has at most T + 1 ids (T inputs and the last target). */
  readonly sequenceLength: number;
  /** Seed of the run; with `epoch` it decides the order and nothing else does. */
  readonly seed: number;
  /** Passes over the split so far, from 0. */
  readonly epoch: number;
  /** Whether to mix the order. */
  readonly shuffle: boolean;
  /** The position: examples of this epoch to leave out, in constant time. 0 starts the epoch. */
  readonly start: number;
}

/** Where a run's examples come from. Reads lazily: building one looks whether its files are there and reads none. */
export interface DataLoader {
  readonly splits: readonly Split[];
  /** The text of a split in order, in pieces cut only where a word ends; tokenizers learn from it. */
  texts(split: Split): AsyncIterable<string>;
  /** The examples of one epoch. The same request gives the same examples, always. */
  examples(split: Split, request: ExampleRequest): AsyncIterable<Example>;
  /** A digest of the data that was read: equal only for equal data. */
  fingerprint(): Promise<string>;
  /** The names of the classes, in the order of their numbers, for data whose examples have a `label`. */
  labels?(): Promise<readonly string[]>;
  /** What whoever trains on it should know of the data read so far, as sentences: how many records were left out, and why. */
  notes?(): readonly string[];
}

function checkDataLoader(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null)
    return "an object with splits, texts, examples and fingerprint";
  const loader = value as Partial<DataLoader>;
  if (!Array.isArray(loader.splits)) return "an array `splits`";
  for (const method of ["texts", "examples", "fingerprint"] as const)
    if (typeof loader[method] !== "function") return `a function \`${method}\``;
  return undefined;
}

export const dataLoaders: RegistryKind<DataLoader> = {
  kind: "data_loaders",
  noun: "data loader",
  group: "codex_ml.data_loaders",
  check: checkDataLoader,
  builtins: {
    text: {
      load: async () => (await import("./text.ts")).text,
      description: "Plain text from a file, a folder or a glob, in shuffled windows of tokens.",
    },
    lines: {
      load: async () => (await import("./lines.ts")).lines,
      description: "Text files of which each line is a document of its own; lines without text are left out.",
    },
    jsonl: {
      load: async () => (await import("./jsonl.ts")).jsonl,
      description: "JSON Lines: one object a line, with text, pairs and labels in columns of any name.",
    },
    csv: {
      load: async () => (await import("./csv.ts")).csv,
      description: "CSV and TSV: text, pairs and labels in columns, named by the first line.",
    },
    parquet: {
      load: async () => (await import("./parquet.ts")).parquet,
      description: "Parquet: text, pairs and labels in columns of any name; only those are read.",
    },
    code: {
      load: async () => (await import("./code.ts")).code,
      description:
        "A folder of source code, each file a document: what .gitignore, lock files and bundles leave.",
    },
    memory: {
      load: async () => (await import("./memory.ts")).memory,
      description: "Examples that a program gives, or that stand in the run file itself.",
    },
  },
};

export const dataLoaderRegistry = globalRegistry(dataLoaders);

/** Registers a data loader under a name; see {@link Registry.register} for the three forms. */
export const registerDataLoader = dataLoaderRegistry.register;

declare global {
  namespace CodexMl {
    /** Factories by name, for the types of {@link getDataLoader}. Packages and projects add theirs. */
    interface DataLoaders {
      text: typeof text;
      lines: typeof lines;
      jsonl: typeof jsonl;
      csv: typeof csv;
      parquet: typeof parquet;
      code: typeof code;
      memory: typeof memory;
    }
  }
}

/**
 * Imports, validates the options of, and builds the data loader `name`. Where `CodexMl.DataLoaders` knows the name, options and result
 * have its types.
 */
export function getDataLoader<Name extends string>(
  name: Name | keyof CodexMl.DataLoaders,
  ...[options]: ArgumentsFor<CodexMl.DataLoaders, Name>
): Promise<ResultFor<CodexMl.DataLoaders, Name, DataLoader>> {
  return dataLoaderRegistry.create(name, options) as Promise<
    ResultFor<CodexMl.DataLoaders, Name, DataLoader>
  >;
}

/** Describes a data loader: description, options schema, `create`. */
export function defineDataLoader<Input, Output>(
  definition: Definition<DataLoader, Input, Output>,
): Definition<DataLoader, Input, Output> {
  return definition;
}
