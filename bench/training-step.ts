import { gpt2 } from "../src/models/gpt2.ts";
import { adamW } from "../src/optim/index.ts";
import { type DeviceChoice, selectDevice } from "../src/runtime/index.ts";
import { TrainingStep } from "../src/trainers/training-step.ts";
import type { GptShape } from "./shapes.ts";

/** Our training step of a shape, clipping and AdamW included; each call takes one and gives its loss. */
export async function trainingStep(
  shape: GptShape,
  on: DeviceChoice = "cpu",
): Promise<() => Promise<number>> {
  const { layers, width, heads, length, batch, vocabulary } = shape;
  const options = await gpt2.options?.["~standard"].validate({
    vocabSize: vocabulary,
    maxPositionEmbeddings: length,
    hiddenSize: width,
    numHiddenLayers: layers,
    numAttentionHeads: heads,
  });
  if (!options || options.issues) throw new Error(JSON.stringify(options?.issues));
  const model = await gpt2.create(options.value, { directory: "." });
  const step = new TrainingStep({
    model,
    optimizer: adamW(),
    batchSize: batch,
    sequenceLength: length,
    gradientAccumulationSteps: 1,
    maxGradNorm: 1,
    gradientCheckpointing: shape.gradientCheckpointing ?? false,
    seed: 1,
    device: selectDevice(on),
  });
  const inputIds = Int32Array.from({ length: batch * length }, (_, at) => (at * 7919) % vocabulary);
  const labels = inputIds.map((id) => (id + 1) % vocabulary);
  return async () =>
    (await step.run([{ inputIds, labels, counted: inputIds.length, rows: batch }], 1e-3)).loss;
}
