import { resolve } from "node:path";
import { z } from "zod";
import { InvalidOptionError } from "../registry/index.ts";
import { notTrained, TokenizerError } from "./errors.ts";
import { defineTokenizer, type Tokenizer } from "./index.ts";
import { openTokenizer } from "./open.ts";
import { readTokenizerFolder } from "./tokenizer-folder.ts";

const optionsSchema = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      "A tokenizer.json, the folder that holds one (with its tokenizer_config.json, if there is one), or a run directory.",
    ),
});

/**
 * A finished tokenizer from a `tokenizer.json`; what it is, the file says. One that a tokenizer of ours could have written runs
 * as that one, which is faster and tells the bytes of an id; any other is run by Hugging Face's JavaScript library.
 */
class HfTokenizer implements Tokenizer {
  #opened: { readonly tokenizer: Tokenizer; readonly files: Readonly<Record<string, string>> } | undefined;

  /** 0 until loaded. */
  get vocabSize(): number {
    return this.#opened?.tokenizer.vocabSize ?? 0;
  }

  /** Not the one for unknown words, which `encode` may produce. */
  get specialTokens(): Readonly<Record<string, number>> {
    return this.#opened?.tokenizer.specialTokens ?? {};
  }

  /** This and the next four: as `tokenizer_config.json` says, else by the texts that such tokens usually have. */
  get eosTokenId(): number | undefined {
    return this.#opened?.tokenizer.eosTokenId;
  }

  get padTokenId(): number | undefined {
    return this.#opened?.tokenizer.padTokenId;
  }

  get clsTokenId(): number | undefined {
    return this.#opened?.tokenizer.clsTokenId;
  }

  get sepTokenId(): number | undefined {
    return this.#opened?.tokenizer.sepTokenId;
  }

  get maskTokenId(): number | undefined {
    return this.#opened?.tokenizer.maskTokenId;
  }

  /** There only where every id has bytes of its own. */
  get byteLength(): ((id: number) => number) | undefined {
    const tokenizer = this.#opened?.tokenizer;
    return tokenizer?.byteLength?.bind(tokenizer);
  }

  /** Without what the file adds around texts: trainers do that. Special tokens are not found in text. */
  encode(text: string): ArrayLike<number> & Iterable<number> {
    return this.#tokenizer("encode").encode(text);
  }

  decode(ids: Iterable<number>): string {
    return this.#tokenizer("decode").decode(ids);
  }

  /** The files as they were read. */
  save(): Readonly<Record<string, string>> {
    this.#tokenizer("be saved");
    return this.#opened?.files ?? {};
  }

  /** @throws TokenizerError `TOKENIZER_BAD_FILE`. */
  load(files: Readonly<Record<string, string>>): void {
    this.#opened = { tokenizer: openTokenizer(files), files: { ...files } };
  }

  #tokenizer(operation: string): Tokenizer {
    if (this.#opened === undefined) throw notTrained("hf", operation);
    return this.#opened.tokenizer;
  }
}

export const hf = defineTokenizer({
  description:
    "Any Hugging Face tokenizer.json: one that `codex-ml tokenizer train` wrote, a run's, or somebody else's.",
  options: optionsSchema,
  async create({ path }, { directory, restoring }) {
    const tokenizer = new HfTokenizer();
    // A run has a copy of the files; it must open where the original is no longer.
    if (restoring) return tokenizer;
    const absolute = resolve(directory, path);
    const files = await readTokenizerFolder(absolute).catch((cause: Error) => {
      throw new InvalidOptionError(["path"], `cannot read the tokenizer in ${absolute}: ${cause.message}`, {
        cause,
      });
    });
    if (files === undefined)
      throw new InvalidOptionError(
        ["path"],
        `there is no tokenizer.json at ${absolute}; relative paths start from ${directory}`,
      );
    try {
      tokenizer.load(files);
    } catch (cause) {
      if (!(cause instanceof TokenizerError)) throw cause;
      throw new InvalidOptionError(["path"], `${absolute}: ${cause.message}`, { cause });
    }
    return tokenizer;
  },
});
