import { TensorBuffer } from "../../runtime/index.ts";
import type { Weights } from "../weights.ts";
import type { DecoderGraphs } from "./decoder-graphs.ts";
import { newNames } from "./graphs.ts";
import { KeyValueMemory } from "./key-value-cache.ts";

/** What reading whole sequences gives. */
export interface Read {
  /** Of the token after each, (rows, V). */
  readonly logits: Float32Array;
  /** Keys and values of their tokens; of no layers unless they were asked for. */
  readonly keyValues: KeyValueMemory;
}

/** Reads sequences of one token or more. Shorter ones are filled up at the end, where a causal model does not look. */
export async function readSequences(
  graphs: DecoderGraphs,
  weights: Weights,
  sequences: readonly (readonly number[])[],
  withCache: boolean,
): Promise<Read> {
  const [rows, length] = [sequences.length, Math.max(...sequences.map((ids) => ids.length))];
  const inputIds = new TensorBuffer({ dtype: "int32", shape: [rows, length] });
  for (const [row, ids] of sequences.entries()) inputIds.data.set(ids, row * length);
  const last = new TensorBuffer({
    dtype: "int32",
    shape: [rows],
    data: Int32Array.from(sequences, (ids, row) => row * length + ids.length - 1),
  });
  const logits = new TensorBuffer({ dtype: "float32", shape: [rows, graphs.model.vocabSize] });
  const keyValues = new KeyValueMemory(withCache ? graphs.layers : [], rows, length, newNames);
  await graphs
    .reading(withCache)
    .bind({ input_ids: inputIds, last, ...weights }, { logits, ...keyValues.buffers })
    .run();
  return { logits: logits.data, keyValues };
}
