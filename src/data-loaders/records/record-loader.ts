import { createHash } from "node:crypto";
import type { Tokenizer } from "../../tokenizers/index.ts";
import { DataError } from "../errors.ts";
import type { DataLoader, Example, ExampleRequest, Split } from "../index.ts";
import { wordPieces } from "../pieces.ts";
import { checkStart } from "../windows.ts";
import { storeInFolder, storeInMemory } from "./cache.ts";
import type { StoredCorpus } from "./cache-entry.ts";
import { type Corpus, type Findings, sentences } from "./corpus.ts";
import { encodeDocument, idBytes, once } from "./encode.ts";
import type { ItemWriter } from "./item-writer.ts";
import { sortedLabels } from "./labels.ts";
import { chained, mixed } from "./mixing.ts";
import { documentPool, type Pool, packedPool, recordPool, type Sequence } from "./pools.ts";
import type { OpenItems } from "./stored.ts";
import { tokenizerDigest } from "./tokenizer-digest.ts";

/** Code units in a piece that a tokenizer learns from. */
const LEARNED_PIECE = 1 << 16;

export interface LoaderSource {
  readonly corpus: Corpus;
  /** Share of the examples, beside the other sources'. */
  readonly weight: number;
  /** The options that decide what its examples are, as JSON. */
  readonly identity: unknown;
}

export interface RecordLoaderOptions {
  /** Name of the loader, for messages. */
  readonly name: string;
  readonly sources: readonly LoaderSource[];
  /** Whether each record is an example with its text, rather than tokens. */
  readonly asRecords: boolean;
  readonly packing: boolean;
  /** All labels, where the options list them. */
  readonly labels: readonly string[] | undefined;
  /** Folder of the cache, or undefined to keep everything in memory. */
  readonly cache: string | undefined;
}

/**
 * Records of any origin as examples. The data is read once, from its beginning to its end, and what examples are made of is
 * stored: the ids of documents, for each tokenizer, or the records themselves. From there any example is read by its
 * place, so that a position costs nothing to go to, and data may be larger than memory.
 */
export class RecordLoader implements DataLoader {
  readonly splits: readonly Split[];
  readonly #options: RecordLoaderOptions;
  readonly #stored = new WeakMap<object, Promise<readonly StoredCorpus[]>>();
  readonly #findings = new Map<Corpus, Findings>();
  readonly #rebuilt = new Set<string>();

  constructor(options: RecordLoaderOptions) {
    this.#options = options;
    const { sources } = options;
    this.splits = (["train", "validation", "test"] as const).filter((split) =>
      sources.some(({ corpus }) => corpus.splits.includes(split)),
    );
  }

  /** Texts of records in the order of the data; a long one in pieces of about 64 KB. Throws `DataError`. */
  async *texts(split: Split): AsyncGenerator<string> {
    this.#check(split);
    let found = false;
    for (const { corpus } of this.#options.sources) {
      for await (const dealt of corpus.records((findings) => this.#findings.set(corpus, findings), split))
        for (const { split: where, record } of dealt) {
          if (where !== split) continue;
          found = true;
          for (const text of [record.text, record.textPair ?? ""]) {
            if (text.length > LEARNED_PIECE) yield* wordPieces(once(text), LEARNED_PIECE);
            else if (text !== "") yield text;
          }
        }
    }
    if (!found) throw this.#empty(split);
  }

  async *examples(split: Split, request: ExampleRequest): AsyncGenerator<Example> {
    this.#check(split);
    checkStart(request.start);
    const stored = await this.#store(request.tokenizer);
    const opened: OpenItems[] = [];
    try {
      const sequence = this.#sequence(split, request, stored, opened);
      for (let index = request.start; index < sequence.length; index++) yield sequence.example(index);
    } finally {
      for (const open of opened) open.close();
    }
  }

  /** SHA-256 over the fingerprints of the sources. */
  async fingerprint(): Promise<string> {
    const [first, ...others] = this.#options.sources;
    if (first !== undefined && others.length === 0) return first.corpus.fingerprint();
    const hash = createHash("sha256");
    for (const { corpus, weight } of this.#options.sources)
      hash.update(`${JSON.stringify([weight, await corpus.fingerprint()])}\n`);
    return hash.digest("hex");
  }

  /** The labels that the options list, or those of all splits, sorted. */
  async labels(): Promise<readonly string[]> {
    const { labels, sources } = this.#options;
    if (labels !== undefined) return labels;
    if (!sources.some(({ corpus }) => corpus.hasLabel)) return [];
    const stored = await this.#store(undefined);
    return sortedLabels(stored.flatMap(({ findings }) => findings.labels));
  }

  notes(): readonly string[] {
    const found = [...this.#findings.values()].flatMap(sentences);
    return [...new Set([...this.#rebuilt, ...found])];
  }

  #sequence(
    split: Split,
    { sequenceLength, seed, epoch, shuffle, tokenizer }: ExampleRequest,
    stored: readonly StoredCorpus[],
    opened: OpenItems[],
  ): Sequence {
    const { sources, asRecords, packing } = this.#options;
    if (!Number.isInteger(sequenceLength) || sequenceLength < 1)
      throw new RangeError(`no examples of ${sequenceLength} positions: they are a count`);
    const what = `the ${split} split`;
    const parts: { readonly pool: Pool; readonly weight: number }[] = [];
    for (const [index, { weight }] of sources.entries()) {
      const items = stored[index]?.items.get(split);
      if (items === undefined || items.ends.length === 0) {
        if (split === "train") throw this.#empty(split, sources.length > 1 ? ` of sources[${index}]` : "");
        continue; // held-out data may come from some sources only
      }
      const open = items.open();
      opened.push(open);
      const tokens = { what, items, open, idBytes: idBytes(tokenizer), sequenceLength };
      const pool = asRecords ? recordPool(items, open) : packing ? packedPool(tokens) : documentPool(tokens);
      parts.push({ pool, weight });
    }
    const [only] = parts;
    if (only === undefined) throw this.#empty(split);
    if (!shuffle) return chained(parts.map(({ pool }) => pool.inOrder()));
    return parts.length === 1 ? only.pool.shuffled([seed, epoch]) : mixed(what, parts, seed, epoch);
  }

  /** What is stored for a tokenizer; for records it does not matter which. */
  #store(tokenizer: Tokenizer | undefined): Promise<readonly StoredCorpus[]> {
    const { asRecords, sources } = this.#options;
    const key = asRecords || tokenizer === undefined ? this : tokenizer;
    let stored = this.#stored.get(key);
    if (stored === undefined) {
      stored = this.#storeAll(sources, asRecords ? undefined : tokenizer);
      this.#stored.set(key, stored);
      stored.catch(() => this.#stored.delete(key)); // what failed may be tried again
    }
    return stored;
  }

  async #storeAll(
    sources: readonly LoaderSource[],
    tokenizer: Tokenizer | undefined,
  ): Promise<readonly StoredCorpus[]> {
    const { cache } = this.#options;
    const digest = tokenizer && tokenizerDigest(tokenizer);
    const stored: StoredCorpus[] = [];
    for (const { corpus, identity } of sources) {
      const key = [identity, await corpus.fingerprint(), digest ?? "records"];
      const fill = (writers: ReadonlyMap<Split, ItemWriter>) => write(corpus, writers, tokenizer);
      const recipe = { splits: corpus.splits, key, fill };
      // A tokenizer that cannot say what it is gets nothing from other processes, and leaves nothing to them.
      const inMemory = cache === undefined || (tokenizer !== undefined && digest === undefined);
      const one = inMemory
        ? await storeInMemory(recipe)
        : await storeInFolder(cache, recipe, (damage) =>
            this.#rebuilt.add(`the data cache was damaged (${damage}) and was made again`),
          );
      this.#findings.set(corpus, one.findings);
      stored.push(one);
    }
    // Said now rather than at the first evaluation, after an hour of training.
    for (const split of this.splits)
      if (stored.every(({ items }) => !items.get(split)?.ends.length)) throw this.#empty(split);
    return stored;
  }

  #check(split: Split): void {
    if (this.splits.includes(split)) return;
    throw new DataError(
      "DATA_NO_SPLIT",
      `the ${this.#options.name} loader has no ${split} split, only ${this.splits.join(", ")}. The option \`${split}\` makes one.`,
    );
  }

  #empty(split: Split, source = ""): DataError {
    return new DataError(
      "DATA_TOO_SHORT",
      `the ${split} split${source} has no records: there are none, or so few that none falls to it. ` +
        "Give more data, or change the options `validation` and `test`.",
    );
  }
}

async function write(
  corpus: Corpus,
  writers: ReadonlyMap<Split, ItemWriter>,
  tokenizer: Tokenizer | undefined,
): Promise<Findings> {
  let findings: Findings | undefined;
  let withoutTokens = 0;
  const records = corpus.records((found) => {
    findings = found;
  });
  for await (const dealt of records)
    for (const { split, record } of dealt) {
      const item =
        tokenizer === undefined
          ? Buffer.from(JSON.stringify(record))
          : await encodeDocument(tokenizer, record.text);
      if (item.length > 0) writers.get(split)?.append(item);
      else withoutTokens++;
    }
  if (findings === undefined) throw new Error("records ended without findings");
  if (withoutTokens === 0) return findings;
  const note = `${withoutTokens} record(s) whose text the tokenizer makes no token of were left out`;
  return { ...findings, notes: [...findings.notes, note] };
}
