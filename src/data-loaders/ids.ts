import { DataError } from "./errors.ts";

/**
 * Holds the ids that a tokenizer gave, and what became of them in a typed array, against its vocabulary: an id that is none
 * would be trained on as another, or crash the graph.
 *
 * @throws DataError `DATA_BAD_ID`.
 */
export function checkIds(given: ArrayLike<number>, ids: Int32Array | Uint16Array, vocabSize: number): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] ?? -1;
    if (id < 0 || id >= vocabSize || id !== given[i])
      throw new DataError(
        "DATA_BAD_ID",
        `the tokenizer encoded text to the id ${given[i]}, which is no integer from 0 to ${vocabSize - 1} ` +
          "(its `vocabSize` − 1). This is a fault of the tokenizer.",
      );
  }
}
