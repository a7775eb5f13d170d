import type { Example, Split } from "../data-loaders/index.ts";
import type { BatchOptions, DataCounts, DataPosition } from "./batching.ts";
import { causalObjective } from "./causal-objective.ts";
import { TrainingError } from "./errors.ts";
import type { Row } from "./objective.ts";

/** A row for training, and where in the data it comes from. */
export interface TrainingRow {
  readonly row: Row;
  /** Where the run stands before it, and after it. */
  readonly at: DataPosition;
  readonly after: DataPosition;
  /** Of the examples up to this one. */
  readonly counts: DataCounts;
}

/** An example and its row. */
export interface ExampleRow {
  readonly example: Example;
  readonly row: Row;
  /** The example's place in its epoch, from 0. */
  readonly index: number;
}

/** The rows of one epoch of a split, those without a label that counts too. Training mixes the order. */
export async function* exampleRows(
  split: Split,
  options: BatchOptions,
  { epoch, start, shuffle }: DataPosition & { readonly shuffle: boolean },
): AsyncGenerator<ExampleRow> {
  const { data, tokenizer, vocabSize, sequenceLength, seed, objective = causalObjective() } = options;
  let index = start;
  const request = { tokenizer, sequenceLength, seed, epoch, start, shuffle };
  for await (const example of data.examples(split, request)) {
    const key = [seed, epoch, index] as const;
    yield {
      example,
      row: objective.row({ example, tokenizer, vocabSize, sequenceLength, key }),
      index: index++,
    };
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
  let [truncated, dropped] = [0, 0];
  let { epoch, start } = from;
  for (;;) {
    let [used, kept] = [start, 0];
    for await (const { row } of exampleRows("train", options, { epoch, start, shuffle: true })) {
      const at = { epoch, start: used++ };
      if (row.truncated) truncated++;
      if (row.counted === 0) {
        dropped++;
        continue;
      }
      kept++;
      yield { row, at, after: { epoch, start: used }, counts: { truncated, dropped } };
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
