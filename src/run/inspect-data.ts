import type { Split } from "../data-loaders/index.ts";
import type { Task } from "../models/index.ts";
import { causalObjective } from "../trainers/causal-objective.ts";
import { lengthBuckets } from "../trainers/length-buckets.ts";
import { sequenceLengthFor } from "../trainers/sequence-length.ts";
import { buildComponents, type Components } from "./components.ts";
import { Duplicates } from "./data-duplicates.ts";
import { type Inspected, inspectSplit, type SeenExample, type SplitSummary } from "./inspect-split.ts";
import type { Registries } from "./registries.ts";
import { optionIn } from "./resolved.ts";
import { unknownTokenId } from "./row-pieces.ts";
import { readRunFile } from "./run-file.ts";
import { UsageError } from "./usage-error.ts";

export interface InspectDataOptions {
  /** Values to replace in the run file: `["data.path=other.txt"]`. */
  readonly set?: readonly string[];
  /** Default: all that the data has. */
  readonly split?: Split;
  /** Examples to give as the model sees them, from the first split that is looked at. Default 3. */
  readonly examples?: number;
  /** Most examples of a split to look at. Default 10,000. */
  readonly limit?: number;
  /** The pass over the data whose order is meant, from 0: training mixes it anew in each. Default 0. */
  readonly epoch?: number;
  /** Where in that order to begin, from 0. Default 0. */
  readonly start?: number;
  readonly registries?: Registries;
}

/** What a run would train on. */
export interface DataInspection {
  readonly type: "data";
  readonly task: Task;
  /** Positions of a row, T. */
  readonly sequenceLength: number;
  /** Ids of the tokenizer. */
  readonly vocabSize: number;
  readonly limit: number;
  readonly splits: readonly SplitSummary[];
  /** The first examples, as the model sees them. */
  readonly examples: readonly SeenExample[];
  /** What the data loader says of what it read, and what of the plugins takes no part. */
  readonly notes: readonly string[];
}

/**
 * Looks at the data of a run: makes the rows of its first epoch, in the order of training, as training would, and counts.
 * No run directory is made. Of the data loader's cache of tokens, which training goes on to use, the loader decides.
 *
 * @throws {RunFileError} with every mistake of the run file; what training throws of data that it cannot use.
 */
export async function inspectData(path: string, options: InspectDataOptions = {}): Promise<DataInspection> {
  const { examples: wanted = 3, limit = 10_000, epoch = 0, start = 0 } = options;
  const runFile = await readRunFile(path, { set: options.set ?? [] });
  const components = await buildComponents(runFile, options.registries);
  const { data, tokenizer, trainer } = components;
  const splits = splitsOf(data.splits, options.split);
  if (!components.tokenizerIsTrained) await tokenizer.train?.(data.texts("train"));
  const model = await components.createModel(tokenizer.vocabSize);
  if (trainer.objective === undefined && model.task !== "causal_lm")
    throw new UsageError(
      `The trainer "${runFile.config.trainer?.name}" does not say what its model for ${model.task} reads (it has no \`objective\`), so its data cannot be shown.`,
    );
  const slot = components.resolved.trainer;
  const sequenceLength = sequenceLengthFor(model, optionIn(slot, "sequenceLength", "number"));
  const plan: Omit<Inspected, "split" | "examples"> = {
    batching: {
      data,
      tokenizer,
      objective: trainer.objective?.(model) ?? causalObjective(),
      vocabSize: model.vocabSize,
      sequenceLength,
      seed: runFile.config.seed,
      lengths: lengthBuckets(sequenceLength),
      groupByLength: optionIn(slot, "groupByLength", "boolean") === true,
    },
    // A trainer without this option makes batches in a way of its own.
    batchSize:
      optionIn(slot, "groupByLength", "boolean") !== undefined
        ? optionIn(slot, "batchSize", "number")
        : undefined,
    ...{ limit, epoch, start },
    classes: model.task === "sequence_classification" ? model.labels : undefined,
    unknownId: unknownTokenId(tokenizer),
  };
  const summaries: SplitSummary[] = [];
  const examples: SeenExample[] = [];
  let train: Duplicates | undefined;
  for (const split of splits) {
    const duplicates = new Duplicates(train);
    const isFirst = split === splits[0];
    const { summary, seen } = await inspectSplit(
      { ...plan, split, examples: isFirst ? wanted : 0 },
      duplicates,
    );
    summaries.push(summary);
    examples.push(...seen);
    if (split === "train") train = duplicates;
  }
  return {
    type: "data",
    task: model.task,
    sequenceLength,
    vocabSize: tokenizer.vocabSize,
    limit,
    splits: summaries,
    examples,
    notes: notesOf(components),
  };
}

function splitsOf(all: readonly Split[], wanted: Split | undefined): readonly Split[] {
  if (wanted === undefined) return all;
  if (!all.includes(wanted))
    throw new UsageError(`The data has no ${wanted} split; it has ${all.join(", ")}.`);
  return [wanted];
}

function notesOf({ data, tokenizer, problems }: Components): readonly string[] {
  return [...problems, ...(data.notes?.() ?? []), ...(tokenizer.notes?.() ?? [])];
}
