import { IGNORE_INDEX } from "../nn/index.ts";
import { sizeOf } from "../tensor/index.ts";
import type { Batch, BatchOptions, SeenSoFar } from "./batching.ts";
import { causalObjective } from "./causal-objective.ts";
import { bucketOf } from "./length-buckets.ts";
import type { Objective, Row } from "./objective.ts";

/** Makes batches of rows. */
export class BatchAssembler {
  readonly #options: BatchOptions;
  readonly #objective: Objective;
  readonly #lengths: readonly number[];
  /** Whether some row so far had several documents, or types of tokens: then every batch has them. */
  #hasDocuments: boolean;
  #hasTypes: boolean;

  constructor(options: BatchOptions, seen?: Pick<SeenSoFar, "documents" | "types">) {
    this.#options = options;
    this.#objective = options.objective ?? causalObjective();
    this.#lengths = options.lengths ?? [options.sequenceLength];
    this.#hasDocuments = seen?.documents ?? false;
    this.#hasTypes = seen?.types ?? false;
  }

  /** What later batches depend on. */
  get seen(): Pick<SeenSoFar, "documents" | "types"> {
    return { documents: this.#hasDocuments, types: this.#hasTypes };
  }

  /** The length that a batch of these rows is padded to. */
  lengthOf(rows: readonly Row[]): number {
    return bucketOf(Math.max(0, ...rows.map(({ inputIds }) => inputIds.length)), this.#lengths);
  }

  /** @param length T of the batch; at least the longest row's. */
  assemble(rows: readonly Row[], length: number): Batch {
    const { batchSize, tokenizer } = this.#options;
    this.#hasDocuments ||= rows.some(({ documentIds }) => documentIds !== undefined);
    this.#hasTypes ||= rows.some(({ tokenTypeIds }) => tokenTypeIds !== undefined);
    const labelLength = sizeOf(this.#objective.labelShape(1, length)) as number;
    const inputIds = new Int32Array(batchSize * length).fill(tokenizer.padTokenId ?? 0);
    const labels = new Int32Array(batchSize * labelLength).fill(IGNORE_INDEX);
    const documents = new Int32Array(inputIds.length);
    const tokenTypeIds = new Int32Array(inputIds.length);
    for (const [at, row] of rows.entries()) {
      const offset = at * length;
      for (let i = 0; i < row.inputIds.length; i++) {
        inputIds[offset + i] = row.inputIds[i] ?? 0;
        documents[offset + i] = row.documentIds?.[i] ?? 1;
        tokenTypeIds[offset + i] = row.tokenTypeIds?.[i] ?? 0;
      }
      for (let i = 0; i < row.labels.length; i++)
        labels[at * labelLength + i] = row.labels[i] ?? IGNORE_INDEX;
    }
    const weight = rows.reduce((sum, row) => sum + (row.weight ?? row.counted), 0);
    const counted = rows.reduce((sum, row) => sum + row.counted, 0);
    return {
      inputIds,
      labels,
      ...((this.#objective.masks || this.#hasDocuments) && { attentionMask: documents }),
      ...(this.#hasDocuments && { positionIds: positionsIn(documents, length) }),
      ...(this.#hasTypes && { tokenTypeIds }),
      counted,
      ...(this.#objective.masks && { tokens: documents.filter((number) => number > 0).length }),
      ...(weight !== counted && { weight }),
      rows: rows.length,
    };
  }
}

/** Places within documents, from 0 at each change of number. */
function positionsIn(documents: Int32Array, length: number): Int32Array {
  const positions = new Int32Array(documents.length);
  for (let at = 1; at < documents.length; at++)
    if (at % length !== 0 && documents[at] === documents[at - 1])
      positions[at] = (positions[at - 1] ?? 0) + 1;
  return positions;
}
