import type { DataLoader, Example, Split } from "../data-loaders/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { checkId } from "../trainers/check-id.ts";
import { TrainingError } from "../trainers/errors.ts";
import type { Objective, Row, RowRequest } from "../trainers/objective.ts";
import type { DuplicateSummary, Duplicates, OverlapSummary } from "./data-duplicates.ts";
import { type LengthSummary, Lengths } from "./data-lengths.ts";
import { type Piece, rowPieces } from "./row-pieces.ts";

/** What is to be looked at. */
export interface Inspected {
  readonly data: DataLoader;
  readonly split: Split;
  readonly tokenizer: Tokenizer;
  readonly objective: Objective;
  /** Ids that the model knows. */
  readonly vocabSize: number;
  readonly sequenceLength: number;
  readonly seed: number;
  /** Most examples to read. */
  readonly limit: number;
  /** Examples to show. */
  readonly examples: number;
  /** Of a classifier. */
  readonly classes: readonly string[] | undefined;
  readonly unknownId: number | undefined;
}

export interface SplitSummary {
  readonly split: Split;
  /** Examples that were read. */
  readonly examples: number;
  /** Whether those are all of an epoch. */
  readonly complete: boolean;
  /** Ids that the model reads, padding aside. */
  readonly tokens: number;
  /** Labels that count in the loss. */
  readonly labels: number;
  /** Ids of a row before it is cut. */
  readonly lengths?: LengthSummary;
  /** Examples that are cut, and the ids that they lose. */
  readonly truncated: { readonly examples: number; readonly tokens: number };
  /** Examples without a label that counts, which are left out. */
  readonly dropped: number;
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
  const { data, split, tokenizer, objective, sequenceLength, seed, limit, unknownId } = inspected;
  const isMasked = objective.task === "masked_lm";
  const lengths = new Lengths();
  const classes = new Map(inspected.classes?.map((name) => [name, 0]));
  const seen: SeenExample[] = [];
  const cut = { examples: 0, tokens: 0 };
  const count = { examples: 0, tokens: 0, labels: 0, dropped: 0, unknown: 0 };
  let complete = true;
  let hasTexts = false;
  const order = { seed, epoch: 0, start: 0, shuffle: split === "train" };
  for await (const example of data.examples(split, { tokenizer, sequenceLength, ...order })) {
    if (count.examples === limit) {
      complete = false;
      break;
    }
    const index = count.examples++;
    const { row, length } = rowOf(example, index, inspected);
    lengths.add(length);
    count.tokens += row.inputIds.length;
    count.labels += row.counted;
    if (row.counted === 0) count.dropped++;
    if (row.truncated) {
      cut.examples++;
      cut.tokens += length - row.inputIds.length;
    }
    for (let at = 0; at < row.inputIds.length; at++) {
      const label = row.labels[at] ?? -1;
      // What was hidden is what the text had.
      if ((isMasked && label >= 0 ? label : row.inputIds[at]) === unknownId) count.unknown++;
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
        truncated: row.truncated,
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
      examples: count.examples,
      complete,
      tokens: count.tokens,
      labels: count.labels,
      ...(summary && { lengths: summary }),
      truncated: cut,
      dropped: count.dropped,
      duplicates: { what: hasTexts ? "examples" : "texts", complete: compared, ...duplicates.summary() },
      ...(overlap && { overlap }),
      ...(inspected.classes && { classes: [...classes].map(([name, examples]) => ({ name, examples })) }),
      ...(unknownId !== undefined && { unknown: count.unknown }),
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

/** The row, and how many ids it would have were there room for all. */
function rowOf(
  example: Example,
  index: number,
  { split, tokenizer, objective, vocabSize, sequenceLength, seed }: Inspected,
): { readonly row: Row; readonly length: number } {
  const request: RowRequest = { example, tokenizer, vocabSize, sequenceLength, key: [seed, 0, index] };
  try {
    const row = objective.row(request);
    for (let at = 0; at < row.inputIds.length; at++) checkId(row.inputIds[at] ?? -1, vocabSize);
    if (!row.truncated) return { row, length: row.inputIds.length };
    const whole = objective.row({ ...request, sequenceLength: Math.max(sequenceLength, mostIds(example)) });
    return { row, length: whole.inputIds.length };
  } catch (cause) {
    if (!(cause instanceof TrainingError)) throw cause;
    const message = `Example ${index + 1} of the ${split} split cannot be used. ${cause.message}${shown(example)}`;
    throw new TrainingError(cause.code, message, { cause });
  }
}

/** At least as many ids as an example can have: its bytes, and some for special tokens. */
function mostIds(example: Example): number {
  if (!("text" in example)) return example.inputIds.length;
  return Buffer.byteLength(example.text) + Buffer.byteLength(example.textPair ?? "") + 16;
}

function shown(example: Example): string {
  return "text" in example ? `\nIts text begins ${JSON.stringify(example.text.slice(0, 80))}.` : "";
}
