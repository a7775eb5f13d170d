import {
  add,
  causalAttention,
  defineModel,
  Embedding,
  gelu,
  LayerNorm,
  Linear,
  type Model,
  type ModelInputs,
  type ModelOutputs,
  Module,
  slice,
  type Tensor,
} from "codex-ml";
import { z } from "zod";

const size = z.int().positive();

const options = z.strictObject({
  vocabSize: size.describe("Ids that the model knows. The run fills in the tokenizer's."),
  maxPositionEmbeddings: size.default(128).describe("Longest sequence, in tokens."),
  hiddenSize: size.default(64).describe("Width of the vector that stands for a token."),
  numHiddenLayers: size.default(2).describe("Number of blocks."),
});

type Options = z.output<typeof options>;

/**
 * A small transformer: each token is predicted from all tokens before it.
 *
 * `forward` builds a graph of symbolic tensors, the same one for training, evaluation and generation. The comments give
 * shapes: B sequences of T tokens, C = hiddenSize, V = vocabSize.
 */
class SmallTransformer extends Module implements Model {
  readonly task = "causal_lm";
  readonly vocabSize: number;
  readonly maxPositionEmbeddings: number;
  readonly config: Readonly<Record<string, unknown>>;
  // Fields that hold layers give the parameters their names: `tokens.weight`, `blocks.0.query.bias` …
  readonly tokens: Embedding;
  readonly positions: Embedding;
  readonly blocks: readonly Block[];
  readonly norm: LayerNorm;
  readonly head: Linear;

  constructor({ vocabSize, maxPositionEmbeddings, hiddenSize, numHiddenLayers }: Options) {
    super();
    this.vocabSize = vocabSize;
    this.maxPositionEmbeddings = maxPositionEmbeddings;
    this.config = {
      model_type: "my_component",
      vocab_size: vocabSize,
      max_position_embeddings: maxPositionEmbeddings,
      hidden_size: hiddenSize,
      num_hidden_layers: numHiddenLayers,
    };
    this.tokens = new Embedding(vocabSize, hiddenSize);
    this.positions = new Embedding(maxPositionEmbeddings, hiddenSize);
    this.blocks = Array.from({ length: numHiddenLayers }, () => new Block(hiddenSize));
    this.norm = new LayerNorm(hiddenSize);
    this.head = new Linear(hiddenSize, vocabSize, { bias: false });
  }

  forward({ inputIds }: ModelInputs): ModelOutputs {
    const positions = slice(this.positions.weight, 0, 0, inputIds.dim(1)); //      (T, C)
    let x = add(this.tokens.forward(inputIds), positions); //                      (B, T, C)
    for (const block of this.blocks) x = block.forward(x);
    return { logits: this.head.forward(this.norm.forward(x)) }; //                 (B, T, V)
  }
}

/** Attention over the tokens so far, then an MLP; each adds to what came in. */
class Block extends Module {
  readonly attentionNorm: LayerNorm;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  readonly mlpNorm: LayerNorm;
  readonly up: Linear;
  readonly down: Linear;

  constructor(hiddenSize: number) {
    super();
    this.attentionNorm = new LayerNorm(hiddenSize);
    this.query = new Linear(hiddenSize, hiddenSize);
    this.key = new Linear(hiddenSize, hiddenSize);
    this.value = new Linear(hiddenSize, hiddenSize);
    this.output = new Linear(hiddenSize, hiddenSize);
    this.mlpNorm = new LayerNorm(hiddenSize);
    this.up = new Linear(hiddenSize, 4 * hiddenSize);
    this.down = new Linear(4 * hiddenSize, hiddenSize);
  }

  forward(x: Tensor): Tensor {
    const h = this.attentionNorm.forward(x); //                                                        (B, T, C)
    const mixed = causalAttention(this.query.forward(h), this.key.forward(h), this.value.forward(h)); // (B, T, C)
    const y = add(x, this.output.forward(mixed));
    return add(y, this.down.forward(gelu(this.up.forward(this.mlpNorm.forward(y)))));
  }
}

export const build = defineModel({
  description: "A small transformer with one attention head a block.",
  options,
  create: (given) => new SmallTransformer(given),
});
