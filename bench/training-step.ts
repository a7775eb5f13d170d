import { type Model, modelRegistry } from "../src/models/index.ts";
import { adamW } from "../src/optim/index.ts";
import { type DeviceChoice, selectDevice } from "../src/runtime/index.ts";
import { countFlops } from "../src/tensor/index.ts";
import { causalObjective } from "../src/trainers/causal-objective.ts";
import { traceStep } from "../src/trainers/step-graph.ts";
import { TrainingStep } from "../src/trainers/training-step.ts";
import type { GptShape } from "./shapes.ts";

async function modelOf({ layers, width, heads, length, vocabulary }: GptShape): Promise<Model> {
  return modelRegistry.create("gpt2", {
    vocabSize: vocabulary,
    maxPositionEmbeddings: length,
    hiddenSize: width,
    numHiddenLayers: layers,
    numAttentionHeads: heads,
  });
}

/** Floating-point operations of a training step of this shape, without what gradient checkpointing does again. */
export async function flopsOf(shape: GptShape): Promise<number> {
  const model = await modelOf(shape);
  const form = { batchSize: shape.batch, sequenceLength: shape.length };
  const { results, gradients } = traceStep(
    model,
    causalObjective(),
    { ...form, attentionMask: false, positionIds: false, tokenTypeIds: false },
    new Set(model.parameters()),
  );
  return countFlops([...Object.values(results), ...Object.values(gradients)]);
}

/** Our training step of a shape, clipping and AdamW included; each call takes one and gives its loss. */
export async function trainingStep(
  shape: GptShape,
  on: DeviceChoice = "cpu",
): Promise<() => Promise<number>> {
  const { length, batch, vocabulary } = shape;
  const model = await modelOf(shape);
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
