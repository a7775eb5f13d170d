import type { DataLoader } from "../data-loaders/index.ts";
import { limited, repeated } from "../data-loaders/restricted.ts";
import type { Trial } from "./config.ts";
import { counted } from "./counted.ts";
import type { RunFileProblem } from "./problems.ts";
import { optionIn, type ResolvedSlot } from "./resolved.ts";
import type { RunFile } from "./run-file.ts";

/**
 * The part of the data that a run reads.
 *
 * @returns A problem when nobody knows how many examples a batch has.
 */
export function restrictedData(
  runFile: RunFile,
  data: DataLoader,
  trainer: ResolvedSlot,
): DataLoader | { readonly problem: RunFileProblem } {
  const { limit, overfitBatch } = runFile.config;
  const read = limit === undefined ? data : limited(data, limit);
  if (overfitBatch === undefined) return read;
  const batchSize = optionIn(trainer, "batchSize", "number");
  if (batchSize !== undefined) return repeated(read, overfitBatch * batchSize);
  const name = "object" in trainer ? trainer.object : trainer.name;
  const message = `the trainer "${name}" has no option batchSize, so that nobody knows how many examples ${overfitBatch} batches are; give a limit instead`;
  return { problem: runFile.problem(["overfitBatch"], message) };
}

/** What a run's first event says of it. */
export function trialNotes({ limit, overfitBatch }: Trial): readonly string[] {
  return [
    ...(limit === undefined
      ? []
      : [
          `a trial (limit): only the first ${counted(limit, "example")} of each split are read, and as many texts by a tokenizer that learns`,
        ]),
    ...(overfitBatch === undefined
      ? []
      : [
          `a trial (overfitBatch): trains on the first ${overfitBatch === 1 ? "batch" : counted(overfitBatch, "batch")} again and again, in one order and without dropout, and evaluates on the same`,
        ]),
  ];
}
