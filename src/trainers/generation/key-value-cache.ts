import { TensorBuffer } from "../../runtime/index.ts";
import type { LayerSize } from "./graphs.ts";

/** Places are allocated this many at a time: growing copies everything, unused places are attended to in vain. */
const PLACES = 64;

/** Names that a graph gives a layer's key and value. */
export type LayerNames = (layer: number) => readonly [key: string, value: string];

/** Keys and values of all layers, each (rows, KV, places, D), in memory that graphs read or write. */
export class KeyValueMemory {
  /** By the names of a graph's inputs or outputs. */
  readonly buffers: Readonly<Record<string, TensorBuffer<"float32">>>;
  readonly places: number;
  readonly #layers: readonly LayerSize[];
  /** The key and the value of each layer, one after the other. */
  readonly #arrays: readonly Float32Array[];

  constructor(layers: readonly LayerSize[], rows: number, places: number, names: LayerNames) {
    const buffers = layers.flatMap(({ heads, width }, layer) =>
      names(layer).map(
        (name) =>
          [name, new TensorBuffer({ dtype: "float32", shape: [rows, heads, places, width] })] as const,
      ),
    );
    this.buffers = Object.fromEntries(buffers);
    this.places = places;
    this.#layers = layers;
    this.#arrays = buffers.map(([, { data }]) => data);
  }

  /** Copies the first `length` tokens of a row of `from` to a row of this memory, from the place `start` on. */
  copy(row: number, start: number, from: KeyValueMemory, fromRow: number, length: number): void {
    for (const [at, to] of this.#arrays.entries()) {
      const source = from.#arrays[at];
      const size = this.#layers[at >> 1];
      if (source === undefined || size === undefined) continue;
      for (let head = 0; head < size.heads; head++) {
        const begin = (fromRow * size.heads + head) * from.places * size.width;
        const place = ((row * size.heads + head) * this.places + start) * size.width;
        to.set(source.subarray(begin, begin + length * size.width), place);
      }
    }
  }
}

/**
 * What several rows have behind them. A row fills its places from 0 on; what is beyond its length is zeros or left over, and
 * hidden by the attention mask.
 */
export class KeyValueCache {
  readonly #layers: readonly LayerSize[];
  readonly #names: LayerNames;
  #lengths: number[] = [];
  #memory: KeyValueMemory;

  /** @param names those of the graph's inputs. */
  constructor(layers: readonly LayerSize[], names: LayerNames) {
    this.#layers = layers;
    this.#names = names;
    this.#memory = new KeyValueMemory([], 0, 0, names);
  }

  /** Another one after {@link arrange} made room. */
  get memory(): KeyValueMemory {
    return this.#memory;
  }

  /** Tokens of each row. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /** Makes row i the former row `kept[i]`, or an empty one where that is −1, with room for `length` tokens in each. */
  arrange(kept: readonly number[], length: number): void {
    const before = this.#memory;
    if (
      length <= before.places &&
      kept.length === this.#lengths.length &&
      kept.every((row, at) => row === at || row < 0)
    ) {
      this.#lengths = this.#lengths.map((known, row) => (kept[row] === row ? known : 0));
      return;
    }
    this.#lengths = kept.map((row) => this.#lengths[row] ?? 0);
    const places = Math.ceil(Math.max(length, ...this.#lengths) / PLACES) * PLACES;
    this.#memory = new KeyValueMemory(this.#layers, kept.length, places, this.#names);
    for (const [row, old] of kept.entries())
      if (old >= 0) this.#memory.copy(row, 0, before, old, this.#lengths[row] ?? 0);
  }

  /** Forgets a row's tokens. */
  clear(row: number): void {
    this.#lengths[row] = 0;
  }

  /** Adds the first `length` tokens of a row of `from`. */
  append(row: number, from: KeyValueMemory, fromRow: number, length: number): void {
    const start = this.#lengths[row] ?? 0;
    this.#memory.copy(row, start, from, fromRow, length);
    this.#lengths[row] = start + length;
  }
}
