import type { DataCounts } from "./batching.ts";
import type { WarningEvent } from "./events.ts";

/** Says once that examples are cut, and once that examples are left out: what {@link trainingBatches} counts. */
export class DataWarnings {
  readonly #sequenceLength: number;
  readonly #said = new Set<keyof DataCounts>();

  constructor(sequenceLength: number) {
    this.#sequenceLength = sequenceLength;
  }

  *about(counts: DataCounts): Generator<WarningEvent> {
    const messages: Readonly<Record<keyof DataCounts, string>> = {
      truncated: `examples longer than ${this.#sequenceLength + 1} tokens are cut to that length`,
      dropped: "examples without a label that counts are left out",
    };
    for (const kind of ["truncated", "dropped"] as const) {
      if (counts[kind] === 0 || this.#said.has(kind)) continue;
      this.#said.add(kind);
      yield {
        type: "warning",
        code: kind.toUpperCase(),
        message: `${messages[kind]} (${counts[kind]} so far)`,
      };
    }
  }
}
