import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type DataLoader,
  defineDataLoader,
  type Example,
  type ExampleRequest,
  InvalidOptionError,
  Random,
  type Split,
} from "codex-ml";
import { z } from "zod";

const options = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe("A text file in UTF-8, relative to the run file. Each line is an example."),
});

/** One line in this many is held out for validation. */
const HELD_OUT = 10;

/**
 * The lines of a text file, each an example. Empty lines are left out, and a line that is there twice is one example: it
 * could be held out and trained on at once.
 */
class LineLoader implements DataLoader {
  readonly splits = ["train", "validation"] as const;
  readonly #file: string;
  #lines: Promise<readonly string[]> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** What a tokenizer learns from. */
  async *texts(split: Split): AsyncGenerator<string> {
    yield* await this.#split(split);
  }

  /** Seed and epoch alone decide the order, so that any position is reached without the ones before it. */
  async *examples(split: Split, { seed, epoch, shuffle, start }: ExampleRequest): AsyncGenerator<Example> {
    const lines = await this.#split(split);
    const order = shuffle ? new Random(seed, epoch).permutation(lines.length) : lines.keys();
    for (const index of [...order].slice(start)) yield { text: lines[index] ?? "" };
  }

  async fingerprint(): Promise<string> {
    return createHash("sha256")
      .update(JSON.stringify(await this.#read()))
      .digest("hex");
  }

  /** The same lines are held out for every seed: a model must not be validated on what it learned from. */
  async #split(split: Split): Promise<readonly string[]> {
    const isHeldOut = (index: number) => index % HELD_OUT === HELD_OUT - 1;
    return (await this.#read()).filter((_, index) => isHeldOut(index) === (split === "validation"));
  }

  /** Read once, when it is first needed. */
  #read(): Promise<readonly string[]> {
    this.#lines ??= distinctLines(this.#file);
    return this.#lines;
  }
}

async function distinctLines(file: string): Promise<readonly string[]> {
  const lines = (await readFile(file, "utf8")).split(/\r?\n/).filter((line) => line.trim() !== "");
  const distinct = [...new Set(lines)].map((line) => `${line}\n`);
  if (distinct.length >= HELD_OUT) return distinct;
  throw new Error(
    `${file} has ${distinct.length} different lines; my_component needs at least ${HELD_OUT}, of which it holds one out.`,
  );
}

export const build = defineDataLoader({
  description: "The lines of a text file, each an example; every tenth is held out.",
  options,
  /** Looks whether the file is there; does not read it. */
  async create({ path }, { directory }) {
    const file = resolve(directory, path);
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() !== true) throw new InvalidOptionError("path", `there is no file ${file}`);
    return new LineLoader(file);
  },
});
