import type { BatchOptions } from "./batching.ts";
import type { WarningEvent } from "./events.ts";
import type { CommonOptions } from "./options.ts";
import { completeSchedule } from "./schedule-options.ts";
import { exampleRows } from "./training-rows.ts";

/** Updates from which on a run is no trial any more, and its learning rate is worth a word. */
const LONG = 100;

/** Peak learning rates from which on a sudden start does harm; fine-tuning stays below. */
const HIGH = 1e-4;

/**
 * `NO_WARMUP`: the first updates have the full learning rate, when an adaptive optimizer knows next to nothing of the gradients;
 * `WARMUP_TOO_LONG`: the run ends before the learning rate is at its peak. Not of runs of a few steps, nor of SGD.
 */
export function warmupWarnings(
  options: CommonOptions & { readonly learningRate: number },
  maxSteps: number,
): WarningEvent[] {
  const { learningRate, optim } = options;
  const { warmupSteps } = completeSchedule({ ...options, maxSteps });
  if (maxSteps < LONG) return [];
  if (warmupSteps > maxSteps)
    return [
      {
        type: "warning",
        code: "WARMUP_TOO_LONG",
        message: `the learning rate grows over ${warmupSteps} steps (warmupSteps), and the run has ${maxSteps}: it never reaches ${learningRate}. Give fewer warmupSteps, or warmupRatio: 0.05`,
        numbers: { warmupSteps, maxSteps },
      },
    ];
  if (warmupSteps > 0 || optim.name === "sgd" || learningRate < HIGH) return [];
  return [
    {
      type: "warning",
      code: "NO_WARMUP",
      message: `the learning rate does not warm up: the very first step has ${learningRate}, when ${optim.name} knows nothing of the gradients yet, which often costs stability. Give warmupRatio: 0.05, or warmupSteps`,
      numbers: { learningRate, warmupSteps, maxSteps },
    },
  ];
}

/** `VALIDATION_SMALL`: the validation split does not fill one batch, so that chance decides what an evaluation gives. */
export async function validationWarnings(batching: BatchOptions): Promise<WarningEvent[]> {
  const { data, batchSize } = batching;
  if (!data.splits.includes("validation")) return [];
  let examples = 0;
  for await (const { row } of exampleRows("validation", batching, { epoch: 0, start: 0, shuffle: false })) {
    if (row.counted > 0) examples++;
    if (examples >= batchSize) return [];
  }
  return [
    {
      type: "warning",
      code: "VALIDATION_SMALL",
      message: `the validation split has ${examples} ${examples === 1 ? "example" : "examples"}, less than a batch of ${batchSize}: its loss and metrics will be mostly chance. Hold out more (the data's option validation)`,
      numbers: { examples, batchSize },
    },
  ];
}
