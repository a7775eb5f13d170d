import { defineTokenizer, type Tokenizer } from "codex-ml/registry";
import { z } from "zod";

/** The first ids are the 256 bytes, so that no text is lost. */
const BYTES = 256;

const options = z.strictObject({
  vocabSize: z
    .int()
    .min(BYTES)
    .default(1024)
    .describe("Most ids: 256 for bytes, the others for frequent words."),
});

/** A word with the space before it, or one character of other white space. Joined, they are the text again. */
const WORD = / ?\S+|\s/g;

/** What is saved with a run. */
const FILE = "words.json";
const savedSchema = z.array(z.string());

/**
 * The most frequent words of the corpus have ids of their own; all other text is UTF-8 bytes.
 *
 * `decode(encode(text)) === text`, except that a lone surrogate becomes U+FFFD, as always in UTF-8.
 */
class WordTokenizer implements Tokenizer {
  readonly #limit: number;
  /** The word of id 256, of id 257 … */
  #words: readonly string[] = [];
  #ids: ReadonlyMap<string, number> = new Map();

  constructor(vocabSize: number) {
    this.#limit = vocabSize - BYTES;
  }

  get vocabSize(): number {
    return BYTES + this.#words.length;
  }

  /** Words that come up twice or more, the most frequent first. */
  async train(texts: AsyncIterable<string>): Promise<void> {
    const counts = new Map<string, number>();
    for await (const text of texts)
      for (const word of text.match(WORD) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
    // Equally frequent words are in the order of their letters: the same corpus always gives the same ids.
    const ranked = [...counts]
      .filter(([word, count]) => count > 1 && word.length > 1)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    this.#learn(ranked.slice(0, this.#limit).map(([word]) => word));
  }

  encode(text: string): Int32Array {
    const ids: number[] = [];
    for (const word of text.match(WORD) ?? []) {
      const id = this.#ids.get(word);
      if (id === undefined) for (const byte of Buffer.from(word, "utf8")) ids.push(byte);
      else ids.push(id);
    }
    return Int32Array.from(ids);
  }

  decode(ids: Iterable<number>): string {
    return Buffer.concat([...ids].map((id) => this.#bytes(id))).toString("utf8");
  }

  /** Without it, metrics such as `bits_per_byte` would have to decode every label. */
  byteLength(id: number): number {
    return this.#bytes(id).length;
  }

  save(): Record<string, string> {
    return { [FILE]: JSON.stringify(this.#words) };
  }

  load(files: Readonly<Record<string, string>>): void {
    const text = files[FILE];
    if (text === undefined) throw new Error(`my_component: there is no ${FILE} among the saved files`);
    this.#learn(savedSchema.parse(JSON.parse(text)));
  }

  #learn(words: readonly string[]): void {
    this.#words = words;
    this.#ids = new Map(words.map((word, index) => [word, BYTES + index]));
  }

  #bytes(id: number): Uint8Array {
    if (Number.isInteger(id) && id >= 0 && id < BYTES) return Uint8Array.of(id);
    const word = this.#words[id - BYTES];
    if (word === undefined) throw new RangeError(`my_component has no token with the id ${id}`);
    return Buffer.from(word, "utf8");
  }
}

export const build = defineTokenizer({
  description: "The most frequent words, each an id; all other text as bytes.",
  options,
  create: ({ vocabSize }) => new WordTokenizer(vocabSize),
});
