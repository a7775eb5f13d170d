import type { Weights } from "../weights.ts";
import type { DecoderGraphs } from "./decoder-graphs.ts";
import { pastNames } from "./graphs.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import { readSequences } from "./reading.ts";
import { TokenStep } from "./token-step.ts";
import { windowStart } from "./window.ts";

/** A text under way. Whoever writes it appends to its ids. */
export interface DecodedRow {
  /** Token ids, prompt included; at least one. */
  readonly ids: readonly number[];
  readonly promptLength: number;
}

export interface Decoder {
  /** Logits of the next token of each row, (rows, V), in the order asked; the next call overwrites them. */
  logits(rows: readonly DecodedRow[]): Promise<Float32Array>;
}

/** Where a row's window begins, and the tokens from there on. */
function contextOf({ ids, promptLength }: DecodedRow, positions: number) {
  const start = windowStart(ids.length, promptLength, positions);
  return { start, ids: ids.slice(start) };
}

/** Asks the model for all of each text again at each token: for models that give no keys and values. */
export class RecomputingDecoder implements Decoder {
  readonly #graphs: DecoderGraphs;
  readonly #weights: Weights;

  constructor(graphs: DecoderGraphs, weights: Weights) {
    this.#graphs = graphs;
    this.#weights = weights;
  }

  async logits(rows: readonly DecodedRow[]): Promise<Float32Array> {
    const { maxPositionEmbeddings } = this.#graphs.model;
    const contexts = rows.map((row) => contextOf(row, maxPositionEmbeddings).ids);
    return (await readSequences(this.#graphs, this.#weights, contexts, false)).logits;
  }
}

/** Keeps keys and values of what was read, and asks the model for one position a token. */
export class CachedDecoder implements Decoder {
  readonly #graphs: DecoderGraphs;
  readonly #weights: Weights;
  readonly #cache: KeyValueCache;
  /** Rows of the cache, and where the window of each began. */
  #rows: readonly { readonly row: DecodedRow; readonly start: number }[] = [];
  #step: TokenStep | undefined;

  constructor(graphs: DecoderGraphs, weights: Weights) {
    this.#graphs = graphs;
    this.#weights = weights;
    this.#cache = new KeyValueCache(graphs.layers, pastNames);
  }

  async logits(rows: readonly DecodedRow[]): Promise<Float32Array> {
    const { maxPositionEmbeddings, vocabSize } = this.#graphs.model;
    const contexts = rows.map((row) => contextOf(row, maxPositionEmbeddings));
    // In a window that has moved every token has another position: nothing that was kept holds.
    const kept = rows.map((row, at) =>
      this.#rows.findIndex((known) => known.row === row && known.start === contexts[at]?.start),
    );
    this.#rows = rows.map((row, at) => ({ row, start: contexts[at]?.start ?? 0 }));
    this.#cache.arrange(kept, Math.max(...contexts.map(({ ids }) => ids.length)));

    const unread = [...contexts.keys()].filter(
      (row) => this.#cache.lengths[row] !== (contexts[row]?.ids.length ?? 0) - 1,
    );
    const read = await this.#read(
      unread,
      unread.map((row) => contexts[row]?.ids ?? []),
    );
    if (unread.length === rows.length) return read;
    const logits = await this.#next(new Set(unread));
    for (const [at, row] of unread.entries())
      logits.set(read.subarray(at * vocabSize, (at + 1) * vocabSize), row * vocabSize);
    return logits;
  }

  /** Reads the whole context of some rows, and keeps what that gives. */
  async #read(rows: readonly number[], contexts: readonly (readonly number[])[]): Promise<Float32Array> {
    if (rows.length === 0) return new Float32Array();
    const { logits, keyValues } = await readSequences(this.#graphs, this.#weights, contexts, true);
    for (const [at, row] of rows.entries()) {
      this.#cache.clear(row);
      this.#cache.append(row, keyValues, at, contexts[at]?.length ?? 0);
    }
    return logits;
  }

  /** The last token of each row; what that gives for rows of `apart` is thrown away. */
  async #next(apart: ReadonlySet<number>): Promise<Float32Array> {
    const { lengths, memory } = this.#cache;
    if (this.#step?.past !== memory)
      this.#step = new TokenStep(this.#graphs, this.#weights, this.#rows.length, memory);
    const { logits, keyValues } = this.#step;
    await this.#step.run(
      this.#rows.map(({ row }) => row.ids.at(-1) ?? 0),
      // The window of a row that was just read may be full: it stands anywhere.
      lengths.map((length, row) => (apart.has(row) ? 0 : length)),
    );
    for (const row of this.#rows.keys()) if (!apart.has(row)) this.#cache.append(row, keyValues, row, 1);
    return logits.data;
  }
}
