import type { Split } from "../index.ts";

/** The columns of a record by their names. */
export type Fields = Readonly<Record<string, unknown>>;

/** A record as its file has it; `at` is its line or row, from 1. */
export type Row =
  | { readonly at: number; readonly fields: Fields }
  /** One that cannot be read: what is wrong with it. */
  | { readonly at: number; readonly problem: string };

/** Some rows, together because handing over one at a time costs more than parsing it. */
export interface RowBatch {
  /** Where a row stands, for messages: `/data/a.jsonl:17`. */
  place(at: number): string;
  /** The split that the file was given for; without it, the rows are dealt. */
  readonly heldOut?: Exclude<Split, "train"> | undefined;
  readonly rows: readonly Row[];
}

/** Where records come from. */
export interface RowSource {
  /** Splits that have data of their own. */
  readonly heldOut: readonly Exclude<Split, "train">[];
  /**
   * All rows, in an order that never changes; or those of a split that has data of its own.
   *
   * @throws DataError when a file cannot be read, or changed.
   */
  batches(heldOut?: Split): AsyncIterable<RowBatch>;
  /** Roles, names and digests of the data, as text: equal only for equal data. */
  fingerprint(): Promise<string>;
  /** What was left out before it became a row, as sentences. */
  notes(): readonly string[];
}
