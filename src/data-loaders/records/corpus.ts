import { DataError } from "../errors.ts";
import type { Split } from "../index.ts";
import type { Mapping, TextRecord } from "./columns.ts";
import { LabelCollector } from "./labels.ts";
import type { Row, RowBatch, RowSource } from "./rows.ts";
import type { SplitRule } from "./splits.ts";

/** A record, and where it belongs. */
export interface Dealt {
  readonly split: Split;
  readonly record: TextRecord;
}

export interface CorpusOptions {
  readonly rows: RowSource;
  readonly mapping: Mapping;
  readonly rule: SplitRule;
  readonly onError: "error" | "skip";
  /** The only labels that may come. */
  readonly labels?: readonly string[] | undefined;
}

/** What one reading of all records found besides them. */
export interface Findings {
  readonly labels: readonly string[];
  /** Records that could not be used and were skipped, and the first of them. */
  readonly skipped: { readonly count: number; readonly first: readonly string[] };
  /** Records with no character of text. */
  readonly empty: number;
  readonly notes: readonly string[];
}

const SHOWN_PROBLEMS = 3;

/** The records of one source, read one after another and dealt to splits. */
export class Corpus {
  readonly splits: readonly Split[];
  readonly #options: CorpusOptions;

  constructor(options: CorpusOptions) {
    this.#options = options;
    const given = [...options.rule.splits, ...options.rows.heldOut];
    this.splits = (["train", "validation", "test"] as const).filter((split) => given.includes(split));
  }

  get hasLabel(): boolean {
    return this.#options.mapping.hasLabel;
  }

  fingerprint(): Promise<string> {
    return this.#options.rows.fingerprint();
  }

  /**
   * All records in the order of the data.
   *
   * @param found is told what was found besides, when they are through
   * @param split only this one's are wanted: where it has data of its own, nothing else is read, and nothing found
   * @throws DataError `DATA_BAD_RECORD` with file and line of a record that cannot be used, unless they are skipped.
   */
  async *records(found: (findings: Findings) => void, split?: Split): AsyncGenerator<readonly Dealt[]> {
    const { rows, rule } = this.#options;
    const isApart = split !== undefined && split !== "train" && !rule.splits.includes(split);
    const labels = new LabelCollector(this.#options.labels);
    const first: string[] = [];
    let count = 0;
    let empty = 0;
    for await (const batch of rows.batches(isApart ? split : undefined)) {
      const dealt: Dealt[] = [];
      for (const row of batch.rows) {
        try {
          const one = this.#deal(batch, row, labels);
          if (one === undefined) empty++;
          else dealt.push(one);
        } catch (cause) {
          const problem = `${batch.place(row.at)} ${(cause as Error).message}`;
          if (this.#options.onError === "error") throw badRecord(problem);
          count++;
          if (first.length < SHOWN_PROBLEMS) first.push(problem);
        }
      }
      if (dealt.length > 0) yield dealt;
    }
    if (!isApart) found({ labels: labels.names(), skipped: { count, first }, empty, notes: rows.notes() });
  }

  #deal(batch: RowBatch, row: Row, labels: LabelCollector): Dealt | undefined {
    if ("problem" in row) throw new Error(row.problem);
    const { mapping, rule } = this.#options;
    const record = mapping.example(row.fields);
    if (record.text === "") return undefined;
    const split = batch.heldOut ?? rule.splitOf(row.fields, record);
    if (record.label !== undefined) labels.add(record.label);
    return { split, record };
  }
}

function badRecord(problem: string): DataError {
  return new DataError(
    "DATA_BAD_RECORD",
    `${problem}. Mend it, or leave such records out, counted, with \`onError: skip\`.`,
  );
}

/** Findings as sentences. */
export function sentences({ skipped, empty, notes }: Findings): readonly string[] {
  const shown = skipped.first.map((problem) => `\n  ${problem}`).join("");
  const more = skipped.count - skipped.first.length;
  return [
    ...notes,
    ...(empty > 0 ? [`${empty} record(s) without text were left out`] : []),
    ...(skipped.count > 0
      ? [
          `${skipped.count} record(s) that could not be used were skipped:${shown}${more > 0 ? `\n  and ${more} more` : ""}`,
        ]
      : []),
  ];
}
