import { gpt2 } from "../../src/models/gpt2.ts";
import type { Model } from "../../src/models/index.ts";
import { IGNORE_INDEX, type Parameter } from "../../src/nn/index.ts";
import type { Batch } from "../../src/trainers/batching.ts";
import { Draws } from "./draws.ts";

const BATCH = 3;
const LENGTH = 8;
const VOCABULARY = 31;

/** The model of `gpt2.py`, its first weights drawn as there. */
export async function goldenModel(): Promise<Model> {
  const given = {
    vocabSize: VOCABULARY,
    hiddenSize: 16,
    numAttentionHeads: 2,
    numHiddenLayers: 2,
    maxPositionEmbeddings: 12,
  };
  const validated = await gpt2.options?.["~standard"].validate(given);
  if (!validated || validated.issues) throw new Error(`golden options: ${JSON.stringify(validated?.issues)}`);
  const model = await gpt2.create(validated.value, { directory: "." });
  for (const [index, parameter] of model.parameters().entries())
    Object.assign(parameter, {
      initialize: (values: Float32Array) => draw(parameter, new Draws(1 + index), values),
    });
  return model;
}

function draw(parameter: Parameter, draws: Draws, values: Float32Array): void {
  const offset = parameter.rank === 1 && parameter.name.endsWith("weight") ? 1 : 0;
  for (let at = 0; at < values.length; at++) values[at] = offset + 0.4 * draws.uniform();
}

/** Batch `k` of `gpt2.py`: 20 of its 24 labels count. */
export function goldenBatch(k: number): Batch {
  const draws = new Draws(1000 + k);
  const inputIds = new Int32Array(BATCH * LENGTH);
  const labels = new Int32Array(BATCH * LENGTH);
  for (let row = 0; row < BATCH; row++) {
    const ids = Array.from({ length: LENGTH + 1 }, () => (draws.next() >>> 8) % VOCABULARY);
    inputIds.set(ids.slice(0, LENGTH), row * LENGTH);
    labels.set(ids.slice(1), row * LENGTH);
  }
  labels.fill(IGNORE_INDEX, LENGTH - 3, LENGTH);
  labels.fill(IGNORE_INDEX, LENGTH, LENGTH + 1);
  return { inputIds, labels, counted: 20, rows: BATCH };
}
