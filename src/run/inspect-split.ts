import type { Example, Split } from "../data-loaders/index.ts";
import type { BatchOptions } from "../trainers/batching.ts";
import { paddingShare } from "../trainers/data-survey.ts";
import type { Objective } from "../trainers/objective.ts";
import { RowCounter, type RowCounts } from "../trainers/row-counts.ts";
import { exampleRows } from "../trainers/training-rows.ts";
import type { DuplicateSummary, Duplicates, OverlapSummary } from "./data-duplicates.ts";
import { type LengthSummary, Lengths } from "./data-lengths.ts";
import { type Piece, rowPieces } from "./row-pieces.ts";

/** What is to be looked at. */
export interface Inspected {
  readonly split: Split;
  readonly batching: Omit<BatchOptions, "batchSize"> & { readonly objective: Objective };
  /** Rows of a batch, where it is known how the trainer makes batches. */
  readonly batchSize: number | undefined;
  /** Most examples to read. */
  readonly limit: number;
  /** The pass over the data that is looked at, and where in it to begin, both from 0. */
  readonly epoch: number;
  readonly start: number;
  /** Examples to show. */
  readonly examples: number;
  /** Of a classifier. */
  readonly classes: readonly string[] | undefined;
  readonly unknownId: number | undefined;
}

export interface SplitSummary extends RowCounts {
  readonly split: Split;
  /** Whether the examples are all of an epoch. */
  readonly complete: boolean;
  /** Ids of a row before it is cut. */
  readonly lengths?: LengthSummary;
  /** Share of the positions of batches that hold nothing, in [0, 1]; where it is known how the trainer makes batches. */
  readonly padding?: number;
  readonly duplicates: DuplicateSummary & {
    /** What was compared: examples, or the texts that rows of ids were made from. */
    readonly what: "examples" | "texts";
    /** Whether those are all of the split. */
    readonly complete: boolean;
  };
  /** What occurs in the training split, too. */
  readonly overlap?: OverlapSummary;
  /** Examples of each class, in the order of their numbers. */
  readonly classes?: readonly { readonly name: string; readonly examples: number }[];
  /** Ids of the token for what the tokenizer cannot say, where it has one. */
  readonly unknown?: number;
}

/** An example as the model sees it. */
export interface SeenExample {
  readonly split: Split;
  /** From 0, in the order of the epoch. */
  readonly index: number;
  readonly pieces: readonly Piece[];
  /** Positions behind them. */
  readonly padding: number;
  readonly truncated: boolean;
  /** Whether no label counts, so that it is left out. */
  readonly dropped: boolean;
  /** Its classes. */
  readonly labels?: readonly string[];
}

/** Reads one split: the first epoch in the order of training, or the order of evaluation. */
export async function inspectSplit(
  inspected: Inspected,
  duplicates: Duplicates,
): Promise<{ readonly summary: SplitSummary; readonly seen: readonly SeenExample[] }> {
  const { split, batching, batchSize, limit, epoch, start, unknownId } = inspected;
  const { data, tokenizer, objective, sequenceLength } = batching;
  const isMasked = objective.task === "masked_lm";
  const lengths = new Lengths();
  const classes = new Map(inspected.classes?.map((name) => [name, 0]));
  const seen: SeenExample[] = [];
  const counter = new RowCounter();
  const kept: number[] = [];
  let unknown = 0;
  let complete = true;
  let hasTexts = false;
  const order = { epoch, start, shuffle: split === "train" };
  for await (const { example, row, index } of exampleRows(split, batching, order)) {
    if (index === start + limit) {
      complete = false;
      break;
    }
    lengths.add(row.inputIds.length + row.truncated);
    counter.add(row);
    if (row.counted > 0) kept.push(row.inputIds.length);
    for (let at = 0; at < row.inputIds.length; at++) {
      const label = row.labels[at] ?? -1;
      // What was hidden is what the text had.
      if ((isMasked && label >= 0 ? label : row.inputIds[at]) === unknownId) unknown++;
    }
    const labels = labelsOf(example);
    for (const name of labels ?? []) if (classes.has(name)) classes.set(name, (classes.get(name) ?? 0) + 1);
    if ("text" in example) {
      hasTexts = true;
      const { text, textPair } = example;
      const content = textPair === undefined ? text : JSON.stringify([text, textPair]);
      duplicates.add(
        content,
        () => (textPair === undefined ? text : `${text} ‖ ${textPair}`),
        labels?.join(),
      );
    }
    if (seen.length < inspected.examples)
      seen.push({
        split,
        index,
        pieces: rowPieces(row, objective.task, tokenizer),
        padding: sequenceLength - row.inputIds.length,
        truncated: row.truncated > 0,
        dropped: row.counted === 0,
        ...(inspected.classes && labels && { labels }),
      });
  }
  // Where windows are cut says nothing of what is in the data twice: compare what they were cut from.
  const compared = hasTexts ? complete : await compareTexts(data.texts(split), limit, duplicates);
  const summary = lengths.summary();
  const overlap = duplicates.overlap();
  return {
    seen,
    summary: {
      split,
      ...counter.counts,
      complete,
      ...(summary && { lengths: summary }),
      ...(batchSize !== undefined && {
        padding: paddingShare(kept, {
          ...batching,
          batchSize,
          groupByLength: split === "train" && batching.groupByLength === true,
        }),
      }),
      duplicates: { what: hasTexts ? "examples" : "texts", complete: compared, ...duplicates.summary() },
      ...(overlap && { overlap }),
      ...(inspected.classes && { classes: [...classes].map(([name, examples]) => ({ name, examples })) }),
      ...(unknownId !== undefined && { unknown }),
    },
  };
}

/** Whether all texts were compared. */
async function compareTexts(
  texts: AsyncIterable<string>,
  limit: number,
  duplicates: Duplicates,
): Promise<boolean> {
  for await (const text of texts) {
    if (duplicates.size === limit) return false;
    duplicates.add(text, () => text);
  }
  return true;
}

function labelsOf({ label }: Example): readonly string[] | undefined {
  return typeof label === "string" ? [label] : label;
}
