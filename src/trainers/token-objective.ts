import type { MetricInput } from "../metrics/index.ts";
import type { Model } from "../models/index.ts";
import { IGNORE_INDEX, type LossOptions, tokenLosses } from "../nn/index.ts";
import { argmax, type Dim, reshape, sizeOf, type Tensor, topK } from "../tensor/index.ts";
import type { Batch } from "./batching.ts";
import type { EvaluatedRow, Objective, Outputs, Wanted } from "./objective.ts";

/** What objectives with a label at every position have in common: all but how rows are made. */
export function tokenObjective(
  description: string,
  own: Pick<Objective, "task" | "masks" | "row" | "windowLength">,
  smoothing: LossOptions = {},
): Objective {
  return {
    ...own,
    gives: ["tokenLosses", "predictedIds", "labelBytes", "topIds"] satisfies MetricInput[],
    labelShape: (batch, length) => [batch, length],
    logitsShape: ({ vocabSize }: Model, batch: Dim, length: Dim) => ({
      shape: [batch, length, vocabSize],
      description: `${description} gives (${batch}, ${length}, ${vocabSize}): batch, sequence, vocabSize`,
    }),
    uniformLoss: ({ vocabSize }) => Math.log(vocabSize),
    trainingLosses: (logits, labels) => tokenLosses(logits, labels, smoothing),
    losses: (logits, labels) => tokenLosses(logits, labels),
    outputs: (logits, labels, { reads, topK: k }) => ({
      losses: tokenLosses(logits, labels),
      ...(reads.has("predictedIds") && { predictions: flat(argmax(logits)) }),
      ...(reads.has("topIds") && { top: topK(logits, k) }),
    }),
    evaluated: tokenRows,
  };
}

function flat(x: Tensor): Tensor {
  return reshape(x, [sizeOf(x.shape)]);
}

/** The rows of a batch without the positions that do not count. */
function* tokenRows(
  batch: Batch,
  { losses, predictions, top }: Outputs,
  { topK: k, labelBytes, batchSize }: Wanted,
): Generator<EvaluatedRow> {
  const length = batch.labels.length / batchSize;
  for (let row = 0; row < batch.rows; row++) {
    const places = Array.from({ length }, (_, at) => row * length + at).filter(
      (place) => batch.labels[place] !== IGNORE_INDEX,
    );
    const labels = Int32Array.from(places, (place) => batch.labels[place] ?? 0);
    const tokenLosses = Float32Array.from(places, (place) => losses?.[place] ?? Number.NaN);
    yield {
      loss: tokenLosses.reduce((sum, loss) => sum + loss, 0),
      example: {
        labels,
        tokenLosses,
        ...(predictions && { predictedIds: Int32Array.from(places, (place) => predictions[place] ?? -1) }),
        ...(top && {
          topIds: Int32Array.from(places.flatMap((place) => [...top.subarray(place * k, (place + 1) * k)])),
        }),
        ...(labelBytes && { labelBytes: labelBytes(labels) }),
      },
    };
  }
}
