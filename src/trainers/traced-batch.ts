import type { Model, ModelInputs } from "../models/index.ts";
import type { ForwardContext } from "../nn/index.ts";
import { TensorBuffer } from "../runtime/index.ts";
import { describe, input, leavesOf, sameShape, type Tensor } from "../tensor/index.ts";
import type { Batch } from "./batching.ts";
import { TrainingError } from "./errors.ts";
import type { Objective } from "./objective.ts";

/** Which arrays a batch has, and of which shapes: batches of one form share a graph. */
export interface BatchForm {
  readonly batchSize: number;
  readonly sequenceLength: number;
  readonly attentionMask: boolean;
  readonly positionIds: boolean;
  readonly tokenTypeIds: boolean;
}

export function formOf(batch: Batch, batchSize: number): BatchForm {
  return {
    batchSize,
    sequenceLength: batch.inputIds.length / batchSize,
    attentionMask: batch.attentionMask !== undefined,
    positionIds: batch.positionIds !== undefined,
    tokenTypeIds: batch.tokenTypeIds !== undefined,
  };
}

/** The arrays of a batch by the names of the graph's inputs. */
export function feedsOf(batch: Batch): Readonly<Record<string, Int32Array>> {
  const { inputIds: input_ids, labels, attentionMask, positionIds, tokenTypeIds } = batch;
  return {
    input_ids,
    labels,
    ...(attentionMask && { attention_mask: attentionMask }),
    ...(positionIds && { position_ids: positionIds }),
    ...(tokenTypeIds && { token_type_ids: tokenTypeIds }),
  };
}

/** Memory for a batch, by the names of the graph's inputs. */
export function batchBuffers(
  objective: Objective,
  { batchSize: B, sequenceLength: T, ...has }: BatchForm,
): Readonly<Record<string, TensorBuffer<"int32">>> {
  const buffer = (shape: readonly number[]) => new TensorBuffer({ dtype: "int32", shape });
  return {
    input_ids: buffer([B, T]),
    labels: buffer(objective.labelShape(B, T) as readonly number[]),
    ...(has.attentionMask && { attention_mask: buffer([B, T]) }),
    ...(has.positionIds && { position_ids: buffer([B, T]) }),
    ...(has.tokenTypeIds && { token_type_ids: buffer([B, T]) }),
  };
}

/** A model traced over one batch. */
export interface TracedBatch {
  /** int32 inputs by name, in the order in which they are listed. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly labels: Tensor;
  readonly logits: Tensor;
}

/**
 * Traces a model, and checks what it gave back.
 *
 * @throws TrainingError when the logits do not have the objective's shape, or do not depend on the ids or on the mask.
 */
export function traceBatch(
  model: Model,
  objective: Objective,
  form: BatchForm,
  context: ForwardContext,
): TracedBatch {
  const { batchSize: B, sequenceLength: T } = form;
  const inputIds = input("input_ids", "int32", [B, T]);
  const labels = input("labels", "int32", objective.labelShape(B, T));
  const optional = (name: string, has: boolean) => (has ? input(name, "int32", [B, T]) : undefined);
  const attentionMask = optional("attention_mask", form.attentionMask);
  const positionIds = optional("position_ids", form.positionIds);
  const tokenTypeIds = optional("token_type_ids", form.tokenTypeIds);
  const inputs: ModelInputs = {
    inputIds,
    ...(attentionMask && { attentionMask }),
    ...(positionIds && { positionIds }),
    ...(tokenTypeIds && { tokenTypeIds }),
  };
  const { logits } = model.forward(inputs, context);
  const { shape, description } = objective.logitsShape(model, B, T);
  if (!sameShape(logits.shape, shape))
    throw new TrainingError("BAD_LOGITS", `The model gave logits ${describe(logits)}; ${description}.`);
  const leaves = leavesOf([logits]);
  if (!leaves.includes(inputIds))
    throw new TrainingError(
      "INPUT_IGNORED",
      "The model's logits do not depend on its input: forward() must use inputIds. There is nothing to learn this way.",
    );
  if (attentionMask !== undefined && !leaves.includes(attentionMask))
    throw new TrainingError(
      "MASK_IGNORED",
      form.positionIds
        ? "The data packs several documents into one sequence, and the model does not keep them apart: forward() must use attentionMask. Turn packing off in the data loader, or use another model."
        : "Shorter texts are padded, and the model takes the padding for text: forward() must use attentionMask.",
    );
  return {
    inputs: {
      input_ids: inputIds,
      labels,
      ...(attentionMask && { attention_mask: attentionMask }),
      ...(positionIds && { position_ids: positionIds }),
      ...(tokenTypeIds && { token_type_ids: tokenTypeIds }),
    },
    labels,
    logits,
  };
}
