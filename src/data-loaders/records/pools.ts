import { IGNORE_INDEX } from "../../nn/index.ts";
import { Random } from "../../tensor/random.ts";
import type { Example } from "../index.ts";
import { type Window, windowSequence } from "../windows.ts";
import { Slab } from "./slab.ts";
import type { OpenItems, StoredItems } from "./stored.ts";

/** Examples by their place, each read when it is asked for. */
export interface Sequence {
  readonly length: number;
  example(index: number): Example;
}

/** The examples of one source in one split. */
export interface Pool {
  /** Examples that every shuffled pass has, whatever its seeds. */
  readonly least: number;
  inOrder(): Sequence;
  /** One pass in an order that the seeds alone decide. */
  shuffled(seeds: readonly number[]): Sequence;
}

export interface TokenPoolOptions {
  /** The split, for messages. */
  readonly what: string;
  readonly items: StoredItems;
  /** `items`, to read from. */
  readonly open: OpenItems;
  readonly idBytes: 2 | 4;
  readonly sequenceLength: number;
}

function reader({ open, idBytes }: TokenPoolOptions): (window: Window) => Uint16Array | Int32Array {
  return ({ from, to }) => {
    const { buffer, byteOffset } = open.read(from * idBytes, (to - from) * idBytes);
    return idBytes === 2
      ? new Uint16Array(buffer, byteOffset, to - from)
      : new Int32Array(buffer, byteOffset, to - from);
  };
}

/** The first item that ends behind `position`. */
function itemAt(ends: Float64Array, position: number): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ends[middle] ?? 0) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Documents one after another, cut into windows of T + 1 ids as `windowSequence` does. Where a window holds several
 * documents, `documentIds` tells them apart, and the first id of a document is no target: nothing that could tell it may
 * be attended to.
 */
export function packedPool(options: TokenPoolOptions): Pool {
  const { what, items, sequenceLength } = options;
  const { ends } = items;
  const read = reader(options);
  const slab = new Slab();
  const count = ends.at(-1) ?? 0;
  const example = (window: Window): Example => {
    const inputIds = read(window);
    const { from, to } = window;
    let item = itemAt(ends, from);
    if ((ends[item] ?? to) >= to) return { inputIds };
    const documentIds = slab.int32(inputIds.length);
    const labels = slab.int32(inputIds.length);
    labels.set(inputIds);
    let start = from;
    for (let number = 1; start < to; number++) {
      const end = Math.min(to, ends[item++] ?? to);
      documentIds.fill(number, start - from, end - from);
      if (start > from) labels[start - from] = IGNORE_INDEX;
      start = end;
    }
    return { inputIds, labels, documentIds };
  };
  const sequence = (shuffle: boolean, seeds: readonly number[]): Sequence => {
    const windows = windowSequence(what, count, { sequenceLength, shuffle, seeds });
    return { length: windows.length, example: (index) => example(windows.at(index)) };
  };
  return {
    least:
      count > sequenceLength
        ? Math.floor((count - Math.min(sequenceLength, count - sequenceLength)) / sequenceLength)
        : 0,
    inOrder: () => sequence(false, []),
    shuffled: (seeds) => sequence(true, seeds),
  };
}

/** Each document by itself; one of more than T + 1 ids in windows that share one id, so that each is a target once. */
export function documentPool(options: TokenPoolOptions): Pool {
  const { items, sequenceLength } = options;
  const read = reader(options);
  const { froms, tos } = cutDocuments(items.ends, sequenceLength);
  const windowAt = (index: number): Window => ({ from: froms[index] ?? 0, to: tos[index] ?? 0 });
  return {
    least: froms.length,
    inOrder: () => ({ length: froms.length, example: (index) => ({ inputIds: read(windowAt(index)) }) }),
    shuffled: (seeds) => {
      const order = new Random(...seeds).permutation(froms.length);
      return {
        length: froms.length,
        example: (index) => ({ inputIds: read(windowAt(order[index] ?? 0)) }),
      };
    },
  };
}

function cutDocuments(
  ends: Float64Array,
  sequenceLength: number,
): { froms: Float64Array; tos: Float64Array } {
  const cuts = (length: number): number => Math.max(1, Math.ceil((length - 1) / sequenceLength));
  let count = 0;
  let start = 0;
  for (const end of ends) {
    count += cuts(end - start);
    start = end;
  }
  const froms = new Float64Array(count);
  const tos = new Float64Array(count);
  let at = 0;
  start = 0;
  for (const end of ends) {
    for (let cut = 0; cut < cuts(end - start); cut++) {
      froms[at] = start + cut * sequenceLength;
      tos[at++] = Math.min(end, start + (cut + 1) * sequenceLength + 1);
    }
    start = end;
  }
  return { froms, tos };
}

const decoder = new TextDecoder();

/** Records as they were stored: JSON of an example. */
export function recordPool({ ends }: StoredItems, open: OpenItems): Pool {
  const startOf = (index: number): number => (index === 0 ? 0 : (ends[index - 1] ?? 0));
  const lengthOf = (index: number): number => (ends[index] ?? 0) - startOf(index);
  const example = (index: number): Example => {
    const bytes = open.read(startOf(index), lengthOf(index));
    return JSON.parse(decoder.decode(bytes)) as Example;
  };
  return {
    least: ends.length,
    inOrder: () => ({ length: ends.length, example }),
    shuffled: (seeds) => {
      const order = new Random(...seeds).permutation(ends.length);
      return { length: order.length, example: (index) => example(order[index] ?? 0) };
    },
  };
}
