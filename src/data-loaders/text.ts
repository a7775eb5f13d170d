import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { DataError } from "./errors.ts";
import { checkIds } from "./ids.ts";
import { type DataLoader, defineDataLoader, type Example, type ExampleRequest, type Split } from "./index.ts";
import { sliceChunks, wordPieces } from "./pieces.ts";
import { findSourceFiles, type SourceFile } from "./source-files.ts";
import { readUtf8 } from "./utf8.ts";
import { windows } from "./windows.ts";

const pathsSchema = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const optionsSchema = z.strictObject({
  path: pathsSchema.describe(
    "A file, a folder (all files below it but hidden ones) or a glob, or a list of these. UTF-8.",
  ),
  validation: z
    .union([z.number().min(0).lt(1), pathsSchema])
    .default(0.1)
    .describe(
      "What is held out for validation: a share of the characters, taken from the end of the text (0: none), or " +
        "files of its own, given as in `path`.",
    ),
});

/** Code units in a piece that a tokenizer learns from, and in one that it encodes. */
const LEARNED_PIECE = 1 << 16;
const ENCODED_PIECE = 1 << 20;

/** A file that was read once. */
interface ScannedFile extends SourceFile {
  readonly bytes: number;
  /** UTF-16 code units. */
  readonly characters: number;
  readonly sha256: string;
}

/** Characters [from, to) of a file. */
interface Range {
  readonly file: ScannedFile;
  readonly from: number;
  readonly to: number;
}

interface Ranges {
  readonly train: readonly Range[];
  readonly validation: readonly Range[];
}

/** The parts of two corpora, or of one that is cut in two. */
type Sources =
  | { readonly train: readonly SourceFile[]; readonly validation: readonly SourceFile[] }
  | { readonly train: readonly SourceFile[]; readonly heldOut: number };

/**
 * Plain text in windows of tokens.
 *
 * The text is that of all files in the order of their names. Of its n characters (UTF-16 code units), the first
 * ⌊n·(1 − `validation`)⌋ are for training and the rest are held out: always the same ones, whatever seed or tokenizer.
 * A split of several files has the tokenizer's end-of-text id between them, if there is one.
 *
 * Text is streamed. The ids of a split are kept in memory, four bytes each, once for each tokenizer; encode only after
 * the tokenizer has been trained. Files that change their size while the loader lives are an error.
 */
class TextLoader implements DataLoader {
  readonly splits: readonly Split[];
  readonly #sources: Sources;
  readonly #tokens = new WeakMap<Tokenizer, Map<Split, Promise<Int32Array>>>();
  #scanned: Promise<Ranges> | undefined;
  #emptyFiles: readonly string[] = [];

  constructor(sources: Sources) {
    this.#sources = sources;
    this.splits = "heldOut" in sources && sources.heldOut === 0 ? ["train"] : ["train", "validation"];
  }

  /** Pieces of about 64 KB; none has text of two files. Throws `DataError`. */
  async *texts(split: Split): AsyncGenerator<string> {
    for (const range of await this.#ranges(split)) yield* wordPieces(readRange(range), LEARNED_PIECE);
  }

  /** Windows of at most T + 1 ids, as `windows` gives them: views of one array, not to be written to. */
  async *examples(split: Split, request: ExampleRequest): AsyncGenerator<Example> {
    const tokens = await this.#encoded(split, request.tokenizer);
    for (const { from, to } of windows(`the ${split} split`, tokens.length, request))
      yield { inputIds: tokens.subarray(from, to) };
  }

  /** SHA-256 over the files: split, name, size and digest of each. */
  async fingerprint(): Promise<string> {
    const { train, validation } = await this.#scan();
    const hash = createHash("sha256");
    const add = (role: string, ranges: readonly Range[]): void => {
      for (const { file } of ranges)
        hash.update(`${JSON.stringify([role, file.name, file.bytes, file.sha256])}\n`);
    };
    // A file that the cut runs through is in both splits, and counts once.
    const known = new Set(train.map(({ file }) => file));
    add("train", train);
    add(
      "heldOut" in this.#sources ? "train" : "validation",
      validation.filter(({ file }) => !known.has(file)),
    );
    return hash.digest("hex");
  }

  notes(): readonly string[] {
    const [first] = this.#emptyFiles;
    return first === undefined
      ? []
      : [`${this.#emptyFiles.length} file(s) without text were left out, ${first} first`];
  }

  #encoded(split: Split, tokenizer: Tokenizer): Promise<Int32Array> {
    const bySplit = this.#tokens.get(tokenizer) ?? new Map<Split, Promise<Int32Array>>();
    this.#tokens.set(tokenizer, bySplit);
    let tokens = bySplit.get(split);
    if (tokens === undefined) {
      tokens = this.#encode(split, tokenizer);
      bySplit.set(split, tokens);
      tokens.catch(() => bySplit.delete(split)); // what failed may be tried again
    }
    return tokens;
  }

  async #encode(split: Split, tokenizer: Tokenizer): Promise<Int32Array> {
    const parts: Int32Array[] = [];
    let count = 0;
    const add = (ids: ArrayLike<number> & Iterable<number>): void => {
      const part = Int32Array.from(ids);
      checkIds(ids, part, tokenizer.vocabSize);
      parts.push(part);
      count += part.length;
    };
    for (const [i, range] of (await this.#ranges(split)).entries()) {
      if (i > 0 && tokenizer.eosTokenId !== undefined) add([tokenizer.eosTokenId]);
      for await (const piece of wordPieces(readRange(range), ENCODED_PIECE)) add(tokenizer.encode(piece));
    }
    const tokens = new Int32Array(count);
    let end = 0;
    for (const part of parts) {
      tokens.set(part, end);
      end += part.length;
    }
    return tokens;
  }

  async #ranges(split: Split): Promise<readonly Range[]> {
    if (split === "test" || !this.splits.includes(split))
      throw new DataError(
        "DATA_NO_SPLIT",
        `the text loader has no ${split} split, only ${this.splits.join(" and ")}` +
          `${split === "validation" ? " (`validation` is 0)" : ""}.`,
      );
    const ranges = (await this.#scan())[split].filter(({ from, to }) => from < to);
    if (ranges.length > 0) return ranges;
    throw new DataError(
      "DATA_TOO_SHORT",
      `the ${split} split has no text: its files are empty, or so short that nothing falls to it. ` +
        "Give more text, or another `validation`.",
    );
  }

  /** Reads every file once: that it is UTF-8, how long it is, and its digest. */
  #scan(): Promise<Ranges> {
    this.#scanned ??= scanSources(this.#sources).then(
      (ranges) => {
        const files = new Set([...ranges.train, ...ranges.validation].map(({ file }) => file));
        this.#emptyFiles = [...files].flatMap(({ characters, path }) => (characters === 0 ? [path] : []));
        return ranges;
      },
      (error: unknown) => {
        this.#scanned = undefined;
        throw error;
      },
    );
    return this.#scanned;
  }
}

async function scanSources(sources: Sources): Promise<Ranges> {
  const whole = (file: ScannedFile): Range => ({ file, from: 0, to: file.characters });
  const files = await scanAll(sources.train);
  if ("validation" in sources)
    return { train: files.map(whole), validation: (await scanAll(sources.validation)).map(whole) };
  const characters = files.reduce((sum, file) => sum + file.characters, 0);
  let left = Math.floor(characters * (1 - sources.heldOut));
  const train: Range[] = [];
  const validation: Range[] = [];
  for (const file of files) {
    const cut = Math.min(left, file.characters);
    left -= cut;
    // An empty file, which no split has a character of, must still count in the fingerprint.
    if (cut > 0 || file.characters === 0) train.push({ file, from: 0, to: cut });
    if (cut < file.characters) validation.push({ file, from: cut, to: file.characters });
  }
  return { train, validation };
}

/** One after another: a corpus may have more files than a process may have open. */
async function scanAll(files: readonly SourceFile[]): Promise<readonly ScannedFile[]> {
  const scanned: ScannedFile[] = [];
  for (const file of files) scanned.push(await scan(file));
  return scanned;
}

async function scan(file: SourceFile): Promise<ScannedFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  let characters = 0;
  const chunks = readUtf8(file.path, (read) => {
    hash.update(read);
    bytes += read.length;
  });
  for await (const chunk of chunks) characters += chunk.length;
  return { ...file, bytes, characters, sha256: hash.digest("hex") };
}

async function* readRange({ file, from, to }: Range): AsyncGenerator<string> {
  const { size } = await stat(file.path);
  if (size !== file.bytes)
    throw new DataError(
      "DATA_CHANGED",
      `${file.path} had ${file.bytes} bytes when it was first read, and has ${size} now. ` +
        "Data must stay as it is during a run; start again.",
    );
  yield* sliceChunks(readUtf8(file.path), from, to);
}

export const text = defineDataLoader({
  description: "Plain text from a file, a folder or a glob, in shuffled windows of tokens.",
  options: optionsSchema,
  async create({ path, validation }, { directory }) {
    const train = await findSourceFiles(path, directory, "path");
    if (typeof validation === "number") return new TextLoader({ train, heldOut: validation });
    const held = await findSourceFiles(validation, directory, "validation");
    const paths = new Set(train.map((file) => file.path));
    const shared = held.find((file) => paths.has(file.path));
    if (shared !== undefined)
      throw new InvalidOptionError(
        ["validation"],
        `${shared.path} is among the files of \`path\` too; a model must not be validated on what it learned from`,
      );
    return new TextLoader({ train, validation: held });
  },
});
