import type { Row } from "./objective.ts";

/** What became of examples as rows of a model. */
export interface RowCounts {
  /** Examples that were read. */
  readonly examples: number;
  /** Ids that the model reads, padding aside. */
  readonly tokens: number;
  /** Labels that count in the loss. */
  readonly labels: number;
  /** Examples that are cut, and the ids that they lose. */
  readonly truncated: { readonly examples: number; readonly tokens: number };
  /** Examples without a label that counts, which are left out. */
  readonly dropped: number;
  /** Those of them that have nothing to read: an empty text, or a single id where the next is to be predicted. */
  readonly empty: number;
}

export class RowCounter {
  readonly #cut = { examples: 0, tokens: 0 };
  readonly #count = { examples: 0, tokens: 0, labels: 0, dropped: 0, empty: 0 };

  add({ inputIds, counted, truncated }: Row): void {
    const count = this.#count;
    count.examples++;
    count.tokens += inputIds.length;
    count.labels += counted;
    if (counted === 0) count.dropped++;
    if (counted === 0 && inputIds.length === 0) count.empty++;
    if (truncated > 0) this.#cut.examples++;
    this.#cut.tokens += truncated;
  }

  get counts(): RowCounts {
    return { ...this.#count, truncated: { ...this.#cut } };
  }
}
