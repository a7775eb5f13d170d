import { IGNORE_INDEX, type LossOptions } from "../nn/index.ts";
import { Random } from "../tensor/index.ts";
import type { EncodedText } from "../tokenizers/encode-batch.ts";
import { checkId } from "./check-id.ts";
import { TrainingError } from "./errors.ts";
import type { Objective, RowRequest } from "./objective.ts";
import { type EncoderWindow, encoderInput, encoderWindow, windowLength } from "./special-tokens.ts";
import { tokenObjective } from "./token-objective.ts";

export interface MaskingOptions extends LossOptions {
  /** Share of the tokens that the model has to guess. */
  readonly mlmProbability: number;
}

/**
 * Masked language modelling (Devlin et al. 2019): of the tokens to be guessed, 80 % are replaced by the mask, 10 % by a
 * random token, 10 % stay. Which ones is drawn anew for each epoch (Liu et al. 2019), from seed, epoch and the number of
 * the example alone. Special tokens are never among them; of a text with any other, one is always to be guessed.
 */
export function maskedObjective({ mlmProbability, ...smoothing }: MaskingOptions): Objective {
  const row = ({ example, tokenizer, vocabSize, sequenceLength, key }: RowRequest) => {
    const mask = tokenizer.maskTokenId;
    if (mask === undefined)
      throw new TrainingError(
        "NO_MASK_TOKEN",
        "The tokenizer has no mask token to hide words with (maskTokenId). Use wordpiece, or give the tokenizer the special token [MASK].",
      );
    const special = new Set(Object.values(tokenizer.specialTokens ?? {}));
    const {
      inputIds,
      truncated,
      tokenTypeIds,
      labels: given,
      documentIds,
    }: EncodedText & Partial<EncoderWindow> = "text" in example
      ? encoderInput(example, tokenizer, sequenceLength)
      : encoderWindow(example, tokenizer, sequenceLength);
    const masked = inputIds.slice();
    const labels = new Int32Array(inputIds.length).fill(IGNORE_INDEX);
    const random = new Random(...key, 0x6d6c6d);
    const candidates = [...inputIds.keys()].filter((at) => !special.has(inputIds[at] ?? -1));
    const chosen = candidates.filter(() => random.uniform() < mlmProbability);
    if (chosen.length === 0 && candidates.length > 0)
      chosen.push(candidates[random.integer(candidates.length)] ?? 0);
    for (const at of chosen) {
      const id = given?.[at] ?? inputIds[at] ?? -1;
      if (id === IGNORE_INDEX) continue;
      labels[at] = checkId(id, vocabSize);
      const draw = random.uniform();
      if (draw < 0.8) masked[at] = mask;
      else if (draw < 0.9) masked[at] = random.integer(tokenizer.vocabSize);
    }
    const counted = labels.filter((label) => label !== IGNORE_INDEX).length;
    return {
      inputIds: masked,
      labels,
      counted,
      truncated,
      ...(tokenTypeIds && { tokenTypeIds }),
      ...(documentIds && { documentIds }),
    };
  };
  return tokenObjective(
    "a masked language model",
    { task: "masked_lm", masks: true, row, windowLength },
    smoothing,
  );
}
