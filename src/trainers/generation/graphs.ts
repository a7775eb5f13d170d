import type { KeyValue, Model, ModelInputs } from "../../models/index.ts";
import { evaluationContext } from "../../nn/index.ts";
import { type Device, Program } from "../../runtime/index.ts";
import {
  addDims,
  type Dim,
  describe,
  input,
  leavesOf,
  reshape,
  sameShape,
  type Tensor,
} from "../../tensor/index.ts";
import { TrainingError } from "../errors.ts";
import type { Weights } from "../weights.ts";
import { chosenRows } from "./last-rows.ts";

/** Keys and values of one layer: heads that it keeps, and numbers of a head. */
export interface LayerSize {
  readonly heads: number;
  readonly width: number;
}

const [BATCH, SEQUENCE, PAST] = ["batch_size", "sequence_length", "past_sequence_length"] as const;

/** Names of a layer's key and value, as Hugging Face's ONNX exports have them. */
export function pastNames(layer: number): readonly [key: string, value: string] {
  return [`past_key_values.${layer}.key`, `past_key_values.${layer}.value`];
}

/** Names of the keys and values of the positions that were asked about. */
export function newNames(layer: number): readonly [key: string, value: string] {
  return [`key_values.${layer}.key`, `key_values.${layer}.value`];
}

function outputsOf(keyValues: readonly KeyValue[]): Record<string, Tensor> {
  return Object.fromEntries(
    keyValues.flatMap(({ key, value }, layer) => {
      const [keyName, valueName] = newNames(layer);
      return [
        [keyName, key],
        [valueName, value],
      ];
    }),
  );
}

/**
 * The graph that reads whole sequences: `input_ids` (batch_size, sequence_length) and `last`, int32 (batch_size) indices into
 * their tokens, laid end to end → `logits` (batch_size, V) of the token after each; with `withCache` also the keys and values.
 *
 * @throws TrainingError when the model's keys and values do not have the shapes that they should.
 */
export function readingGraph(
  model: Model,
  device?: Device,
): {
  readonly layers: readonly LayerSize[];
  compile(withCache: boolean): Program;
} {
  const inputIds = input("input_ids", "int32", [BATCH, SEQUENCE]);
  const last = input("last", "int32", [BATCH]);
  const { logits, keyValues = [] } = model.forward({ inputIds }, evaluationContext());
  return {
    layers: keyValues.map((keyValue, layer) => layerSize(keyValue, layer, SEQUENCE)),
    compile: (withCache) =>
      new Program(
        {
          inputs: [inputIds, last, ...model.parameters()],
          outputs: { logits: chosenRows(logits, last), ...(withCache && outputsOf(keyValues)) },
        },
        {},
        { device },
      ),
  };
}

/**
 * The graph of one more token a row: `input_ids` and `position_ids` (batch_size, 1), `attention_mask`
 * (batch_size, past_sequence_length + 1) and the past keys and values (batch_size, KV, past_sequence_length, D) →
 * `logits` (batch_size, V) and the keys and values of the token.
 *
 * @param fixed weights that are part of the graph, and no inputs.
 * @throws TrainingError when the model does not use what was kept.
 */
export function stepGraph(
  model: Model,
  layers: readonly LayerSize[],
  fixed: Weights = {},
  device?: Device,
): Program {
  const inputIds = input("input_ids", "int32", [BATCH, 1]);
  const positionIds = input("position_ids", "int32", [BATCH, 1]);
  const attentionMask = input("attention_mask", "int32", [BATCH, addDims(PAST, 1)]);
  const pastKeyValues = layers.map(({ heads, width }, layer): KeyValue => {
    const [key, value] = pastNames(layer).map((name) => input(name, "float32", [BATCH, heads, PAST, width]));
    return { key, value } as KeyValue;
  });
  const inputs: ModelInputs = { inputIds, positionIds, attentionMask, pastKeyValues };
  const { logits, keyValues = [] } = model.forward(inputs, evaluationContext());
  const past = pastKeyValues.flatMap(({ key, value }) => [key, value]);
  const leaves = leavesOf([logits]);
  for (const tensor of [attentionMask, ...past])
    if (!leaves.includes(tensor))
      throw new TrainingError(
        "INPUT_IGNORED",
        `The model gives keyValues, but its logits do not depend on ${describe(tensor)} that came before: forward() must use pastKeyValues and attentionMask where they are given.`,
      );
  const again = keyValues.map((keyValue, layer) => layerSize(keyValue, layer, 1));
  if (JSON.stringify(again) !== JSON.stringify(layers))
    throw new TrainingError(
      "BAD_KEY_VALUES",
      `The model gave keyValues of ${layers.length} layers, and of ${again.length} layers or other sizes when it was given pastKeyValues.`,
    );
  return new Program(
    {
      inputs: [inputIds, positionIds, attentionMask, ...past, ...model.parameters()],
      outputs: { logits: reshape(logits, [BATCH, model.vocabSize]), ...outputsOf(keyValues) },
    },
    fixed,
    { device },
  );
}

function layerSize({ key, value }: KeyValue, layer: number, length: Dim): LayerSize {
  const [, heads, , width] = key.shape;
  if (
    typeof heads !== "number" ||
    typeof width !== "number" ||
    key.dtype !== "float32" ||
    value.dtype !== "float32" ||
    !sameShape(key.shape, [BATCH, heads, length, width]) ||
    !sameShape(value.shape, key.shape)
  )
    throw new TrainingError(
      "BAD_KEY_VALUES",
      `The model's keyValues[${layer}] are ${describe(key)} and ${describe(value)}; expected float32 (${BATCH}, key-value heads, ${length}, head size) of both.`,
    );
  return { heads, width };
}
