import type { Model } from "../models/index.ts";
import { TrainingError } from "./errors.ts";

/** What graphs of training, evaluation and generation call their own inputs and outputs. */
const RESERVED =
  /^(input_ids|labels|attention_mask|position_ids|token_type_ids|inverse_count|dropout_key_[ab]|last|loss|losses|logits|predictions|top|(gradient|weight)_norm|(past_key_values|key_values|present)\.\d+\.(key|value))$/;

/** @throws TrainingError when a parameter of the model has no name, another's, or one that graphs use themselves. */
export function checkParameterNames(model: Model): void {
  const names = new Set<string>();
  for (const { name } of model.parameters()) {
    if (name === "" || names.has(name))
      throw new TrainingError(
        "PARAMETER_NAME",
        `The model's parameters need names of their own; got "${name}"${name === "" ? "" : " twice"}.`,
      );
    if (RESERVED.test(name))
      throw new TrainingError(
        "PARAMETER_NAME",
        `The model has a parameter "${name}", which is what the graph calls something of its own. Give the field another name.`,
      );
    names.add(name);
  }
}
