import type { Example, Split } from "../data-loaders/index.ts";
import type { BatchOptions, DataCounts, DataPosition } from "./batching.ts";
import { causalObjective } from "./causal-objective.ts";
import { checkId } from "./check-id.ts";
import { TrainingError } from "./errors.ts";
import type { Objective, Row, RowRequest } from "./objective.ts";

/** A place in the data, and what was counted up to it. */
export type Place = Pick<DataPosition, "epoch" | "start"> & DataCounts;

/** A row for training, and where in the data it comes from. */
export interface TrainingRow {
  readonly row: Row;
  /** Before its example, and behind it. */
  readonly at: Place;
  readonly after: Place;
}

/** An example and its row. */
export interface ExampleRow {
  readonly example: Example;
  readonly row: Row;
  /** The example's place in its epoch, from 0. */
  readonly index: number;
}

/**
 * The rows of one epoch of a split, those without a label that counts too. Training mixes the order.
 *
 * @throws TrainingError that names the example when it cannot be used.
 */
export async function* exampleRows(
  split: Split,
  options: Omit<BatchOptions, "batchSize">,
  { epoch, start, shuffle }: Pick<DataPosition, "epoch" | "start"> & { readonly shuffle: boolean },
): AsyncGenerator<ExampleRow> {
  const {
    data,
    tokenizer,
    vocabSize,
    sequenceLength,
    seed,
    objective = causalObjective(),
    repeats,
  } = options;
  let index = start;
  const windowLength = objective.windowLength?.(sequenceLength, tokenizer) ?? sequenceLength;
  const request = { tokenizer, sequenceLength: windowLength, seed, epoch, start, shuffle };
  for await (const example of data.examples(split, request)) {
    const key = [seed, repeats ? 0 : epoch, index] as const;
    const row = checkedRow(objective, { example, tokenizer, vocabSize, sequenceLength, key }, split);
    yield { example, row, index: index++ };
  }
}

function checkedRow(objective: Objective, request: RowRequest, split: Split): Row {
  const { example, vocabSize, key } = request;
  try {
    const row = objective.row(request);
    for (let at = 0; at < row.inputIds.length; at++) checkId(row.inputIds[at] ?? -1, vocabSize);
    return row;
  } catch (cause) {
    if (!(cause instanceof TrainingError)) throw cause;
    const begins = "text" in example ? `\nIts text begins ${JSON.stringify(example.text.slice(0, 80))}.` : "";
    const message = `Example ${key[2] + 1} of the ${split} split cannot be used. ${cause.message}${begins}`;
    throw new TrainingError(cause.code, message, { cause });
  }
}

/**
 * The rows that count, without end, epoch after epoch, from a position on.
 *
 * @throws TrainingError when a whole epoch has none.
 */
export async function* trainingRows(
  options: BatchOptions,
  from: DataPosition,
): AsyncGenerator<TrainingRow, never> {
  let { truncated, dropped }: DataCounts = from.seen ?? { truncated: 0, dropped: 0 };
  let { epoch, start } = from;
  for (;;) {
    let [used, kept] = [start, 0];
    for await (const { row } of exampleRows("train", options, { epoch, start, shuffle: true })) {
      const at = { epoch, start: used++, truncated, dropped };
      if (row.truncated > 0) truncated++;
      if (row.counted === 0) {
        dropped++;
        continue;
      }
      kept++;
      yield { row, at, after: { epoch, start: used, truncated, dropped } };
    }
    if (kept === 0 && start === 0) throw nothingToLearn(used, truncated, options.sequenceLength);
    epoch++;
    start = 0;
  }
}

/** That no label counts, of so many examples. */
export function nothingToLearn(examples: number, truncated: number, sequenceLength: number): TrainingError {
  const cut =
    truncated === 0
      ? ""
      : ` ${truncated} of them have more tokens than fit (sequenceLength is ${sequenceLength}) and lose what lies behind, which may be all that counts: give a larger sequenceLength.`;
  return new TrainingError(
    "NO_EXAMPLES",
    examples === 0
      ? "The data loader yields no training example: the data is empty or too short."
      : `None of the ${examples} training examples has a label that counts (a next token needs at least two ids, a classifier a label), so there is nothing to learn.${cut}`,
  );
}
