// @ts-check
/** @import { Model, ModelInputs, ModelOutputs } from "codex-ml" */
import { Embedding, gelu, InvalidOptionError, Linear, Module, normal } from "codex-ml";

/** @implements {Model} */
class ToyModel extends Module {
  task = /** @type {const} */ ("causal_lm");

  /** @param {{ vocabSize: number, hiddenSize: number, maxPositionEmbeddings: number }} options */
  constructor({ vocabSize, hiddenSize, maxPositionEmbeddings }) {
    super();
    this.vocabSize = vocabSize;
    this.maxPositionEmbeddings = maxPositionEmbeddings;
    this.config = { model_type: "toy_model", vocab_size: vocabSize, hidden_size: hiddenSize };
    // Parameters are named by the fields that hold them: `embedding.weight`, `up.weight`, `up.bias` …
    this.embedding = new Embedding(vocabSize, hiddenSize, normal(1));
    this.up = new Linear(hiddenSize, 4 * hiddenSize, { initialize: normal(hiddenSize ** -0.5) });
    this.down = new Linear(4 * hiddenSize, vocabSize);
  }

  /** @param {ModelInputs} inputs @returns {ModelOutputs} */
  forward({ inputIds }) {
    const x = this.embedding.forward(inputIds); //    (B, T, C)
    const y = gelu(this.up.forward(x)); //            (B, T, 4C)
    return { logits: this.down.forward(y) }; //       (B, T, V)
  }
}

/**
 * Predicts each token from the one before it and nothing else: a table of bigrams, learned by an MLP.
 *
 * @param {{ vocabSize: number, hiddenSize?: number, maxPositionEmbeddings?: number }} options The run adds `vocabSize`.
 *   `maxPositionEmbeddings` is the length of the sequences that it is trained on.
 */
export function build({ vocabSize, hiddenSize = 32, maxPositionEmbeddings = 64, ...unknown }) {
  const options = { vocabSize, hiddenSize, maxPositionEmbeddings };
  for (const name of Object.keys(unknown))
    throw new InvalidOptionError(name, `unknown option; it takes ${Object.keys(options).join(", ")}`);
  for (const [name, value] of Object.entries(options))
    if (!Number.isInteger(value) || value < 1)
      throw new InvalidOptionError(name, "expected a positive integer");
  return new ToyModel(options);
}
