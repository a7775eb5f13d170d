import { IGNORE_INDEX, type LossOptions } from "../nn/index.ts";
import { checkId } from "./check-id.ts";
import { TrainingError } from "./errors.ts";
import type { Objective, Row, RowRequest } from "./objective.ts";
import { tokenObjective } from "./token-objective.ts";

/** Next-token prediction: row and labels are an example's ids, shifted by one. */
export function causalObjective(smoothing: LossOptions = {}): Objective {
  // Padding is at the end, where no position that counts can see it.
  return tokenObjective("a causal language model", { task: "causal_lm", masks: false, row }, smoothing);
}

function row({ example, tokenizer, vocabSize, sequenceLength }: RowRequest): Row {
  const given = "text" in example ? { inputIds: tokenizer.encode(example.text) } : example;
  const { inputIds: ids, documentIds, labels: targets = ids } = given;
  for (const [what, values] of Object.entries({ labels: targets, documentIds }))
    if (values !== undefined && values.length !== ids.length)
      throw new TrainingError(
        "BAD_EXAMPLE",
        `An example has ${ids.length} ids and ${values.length} ${what}; there must be as many.`,
      );
  const length = Math.max(0, Math.min(sequenceLength, ids.length - 1));
  const inputIds = new Int32Array(length);
  const labels = new Int32Array(length);
  const documents = documentIds && new Int32Array(length);
  let counted = 0;
  for (let at = 0; at < length; at++) {
    // The first token of a document follows nothing that the model may look at.
    const crosses = documentIds !== undefined && documentIds[at] !== documentIds[at + 1];
    const label = crosses ? IGNORE_INDEX : (targets[at + 1] ?? IGNORE_INDEX);
    inputIds[at] = checkId(ids[at] ?? -1, vocabSize);
    labels[at] = label === IGNORE_INDEX ? label : checkId(label, vocabSize);
    if (documents) documents[at] = documentIds?.[at] ?? 0;
    if (label !== IGNORE_INDEX) counted++;
  }
  const truncated = Math.max(0, ids.length - sequenceLength - 1);
  return { inputIds, labels, counted, truncated, ...(documents && { documentIds: documents }) };
}
