import { z } from "zod";
import {
  dropout,
  Embedding,
  type ForwardContext,
  LayerNorm,
  Linear,
  Module,
  normal,
  Parameter,
  zeros,
} from "../nn/index.ts";
import {
  add,
  attention,
  attentionBias,
  type Dim,
  geluExact,
  linear,
  reshape,
  slice,
  type Tensor,
  tanh,
  transpose,
} from "../tensor/index.ts";
import { defineModel, type Model, type ModelInputs, type ModelOutputs } from "./index.ts";
import { labelConfig, labelsOption } from "./labels.ts";

const size = z.int().positive();
const probability = z.number().min(0).lt(1);

const options = z.strictObject({
  vocabSize: size.describe("Ids that the model knows. The run fills in the tokenizer's."),
  labels: labelsOption
    .optional()
    .describe(
      "Names of the classes; with them it classifies, without it guesses masked tokens. The run fills them in.",
    ),
  maxPositionEmbeddings: size.default(128).describe("Longest sequence, in tokens."),
  typeVocabSize: size.default(2).describe("Kinds of text that tokenTypeIds tell apart: a pair has two."),
  hiddenSize: size.default(128).describe("Width of the residual stream."),
  numHiddenLayers: size.default(4).describe("Number of layers."),
  numAttentionHeads: size.default(4).describe("Attention heads of a layer; divides hiddenSize."),
  intermediateSize: size.optional().describe("Width of the MLP. Default: 4 · hiddenSize."),
  layerNormEps: z.number().positive().default(1e-12).describe("Added to the variance."),
  initializerRange: z.number().positive().default(0.02).describe("Standard deviation of the first weights."),
  hiddenDropoutProb: probability
    .default(0.1)
    .describe("Probability of dropout in embeddings and after each branch."),
  attentionProbsDropoutProb: probability.default(0.1).describe("Probability of dropout in attention."),
  classifierDropout: probability
    .optional()
    .describe("Probability of dropout before the classifier. Default: hiddenDropoutProb."),
});

type BertOptions = z.output<typeof options>;

/**
 * BERT: an encoder in which every token sees every other. With `labels` it is Hugging Face's
 * `BertForSequenceClassification`, else `BertForMaskedLM`; parameters have the names of these. Source: Devlin et al. (2019),
 * "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding".
 */
export const bert = defineModel({
  description: "BERT: an encoder, for masked language modelling or classification (Devlin et al. 2019).",
  options: options.refine((given) => given.hiddenSize % given.numAttentionHeads === 0, {
    path: ["numAttentionHeads"],
    message: "must divide hiddenSize",
  }),
  create: (given): Model =>
    given.labels === undefined
      ? new BertForMaskedLM(given)
      : new BertForSequenceClassification(given, given.labels),
});

class BertForMaskedLM extends Module implements Model {
  readonly task = "masked_lm";
  readonly bert: BertModel;
  readonly cls: Heads;
  readonly vocabSize: number;
  readonly maxPositionEmbeddings: number;
  readonly config: Readonly<Record<string, unknown>>;

  constructor(given: BertOptions) {
    super();
    this.bert = new BertModel(given);
    this.cls = new Heads(given);
    this.vocabSize = given.vocabSize;
    this.maxPositionEmbeddings = given.maxPositionEmbeddings;
    this.config = configOf(given, "BertForMaskedLM");
  }

  forward(inputs: ModelInputs, context: ForwardContext): ModelOutputs {
    const hidden = this.bert.forward(inputs, context); //                                       (B, T, C)
    const { weight } = this.bert.embeddings.word_embeddings;
    return { logits: this.cls.predictions.forward(hidden, weight) }; //                         (B, T, V)
  }
}

class BertForSequenceClassification extends Module implements Model {
  readonly task = "sequence_classification";
  readonly bert: PooledBertModel;
  readonly classifier: Linear;
  readonly labels: readonly string[];
  readonly vocabSize: number;
  readonly maxPositionEmbeddings: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly #dropout: number;

  constructor(given: BertOptions, labels: readonly string[]) {
    super();
    this.bert = new PooledBertModel(given);
    this.classifier = projection(given, given.hiddenSize, labels.length);
    this.labels = labels;
    this.vocabSize = given.vocabSize;
    this.maxPositionEmbeddings = given.maxPositionEmbeddings;
    this.config = { ...configOf(given, "BertForSequenceClassification"), ...labelConfig(labels) };
    this.#dropout = given.classifierDropout ?? given.hiddenDropoutProb;
  }

  forward(inputs: ModelInputs, context: ForwardContext): ModelOutputs {
    const pooled = this.bert.pooler.forward(this.bert.forward(inputs, context)); //             (B, C)
    return { logits: this.classifier.forward(dropout(pooled, this.#dropout, context)) }; //     (B, L)
  }
}

class BertModel extends Module {
  readonly embeddings: Embeddings;
  readonly encoder: Encoder;

  constructor(given: BertOptions) {
    super();
    this.embeddings = new Embeddings(given);
    this.encoder = new Encoder(given);
  }

  forward(inputs: ModelInputs, context: ForwardContext): Tensor {
    const bias = inputs.attentionMask && attentionBias(inputs.attentionMask); //                (B, 1, T, T)
    return this.encoder.forward(this.embeddings.forward(inputs, context), bias, context); //    (B, T, C)
  }
}

class PooledBertModel extends BertModel {
  readonly pooler: Pooler;

  constructor(given: BertOptions) {
    super(given);
    this.pooler = new Pooler(given);
  }
}

class Embeddings extends Module {
  readonly word_embeddings: Embedding;
  readonly position_embeddings: Embedding;
  readonly token_type_embeddings: Embedding;
  readonly LayerNorm: LayerNorm;
  readonly #dropout: number;

  constructor(given: BertOptions) {
    super();
    const table = (count: number) => new Embedding(count, given.hiddenSize, normal(given.initializerRange));
    this.word_embeddings = table(given.vocabSize);
    this.position_embeddings = table(given.maxPositionEmbeddings);
    this.token_type_embeddings = table(given.typeVocabSize);
    this.LayerNorm = new LayerNorm(given.hiddenSize, given.layerNormEps);
    this.#dropout = given.hiddenDropoutProb;
  }

  forward({ inputIds, positionIds, tokenTypeIds }: ModelInputs, context: ForwardContext): Tensor {
    const words = this.word_embeddings.forward(inputIds); //                                    (B, T, C)
    const positions = positionIds //                                                            (B, T, C) or (T, C)
      ? this.position_embeddings.forward(positionIds)
      : slice(this.position_embeddings.weight, 0, 0, inputIds.dim(1));
    const types = tokenTypeIds //                                                               (B, T, C) or (1, C)
      ? this.token_type_embeddings.forward(tokenTypeIds)
      : slice(this.token_type_embeddings.weight, 0, 0, 1);
    return dropout(this.LayerNorm.forward(add(add(words, positions), types)), this.#dropout, context);
  }
}

class Encoder extends Module {
  readonly layer: readonly Layer[];

  constructor(given: BertOptions) {
    super();
    this.layer = Array.from({ length: given.numHiddenLayers }, () => new Layer(given));
  }

  forward(x: Tensor, bias: Tensor | undefined, context: ForwardContext): Tensor {
    return this.layer.reduce((hidden, layer) => layer.forward(hidden, bias, context), x);
  }
}

class Layer extends Module {
  readonly attention: Attention;
  readonly intermediate: Intermediate;
  readonly output: Output;

  constructor(given: BertOptions) {
    super();
    this.attention = new Attention(given);
    this.intermediate = new Intermediate(given);
    this.output = new Output(given, given.intermediateSize ?? 4 * given.hiddenSize);
  }

  forward(x: Tensor, bias: Tensor | undefined, context: ForwardContext): Tensor {
    const y = this.attention.forward(x, bias, context);
    return this.output.forward(this.intermediate.forward(y), y, context);
  }
}

class Attention extends Module {
  readonly self: SelfAttention;
  readonly output: Output;

  constructor(given: BertOptions) {
    super();
    this.self = new SelfAttention(given);
    this.output = new Output(given, given.hiddenSize);
  }

  forward(x: Tensor, bias: Tensor | undefined, context: ForwardContext): Tensor {
    return this.output.forward(this.self.forward(x, bias, context), x, context);
  }
}

class SelfAttention extends Module {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly #heads: number;
  readonly #dropout: number;

  constructor(given: BertOptions) {
    super();
    this.query = projection(given, given.hiddenSize, given.hiddenSize);
    this.key = projection(given, given.hiddenSize, given.hiddenSize);
    this.value = projection(given, given.hiddenSize, given.hiddenSize);
    this.#heads = given.numAttentionHeads;
    this.#dropout = given.attentionProbsDropoutProb;
  }

  forward(x: Tensor, bias: Tensor | undefined, context: ForwardContext): Tensor {
    const [B, T, C] = x.shape as [Dim, Dim, number];
    const [H, D] = [this.#heads, C / this.#heads];
    const heads = (y: Tensor) => transpose(reshape(y, [B, T, H, D]), [0, 2, 1, 3]); //          (B, H, T, D)
    const [q, k, v] = [this.query, this.key, this.value].map((part) => heads(part.forward(x))) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const factors = context.dropoutFactors([B, H, T, T], this.#dropout);
    const mixed = attention(q, k, v, { bias, dropout: factors }); //                            (B, H, T, D)
    return reshape(transpose(mixed, [0, 2, 1, 3]), [B, T, C]);
  }
}

class Intermediate extends Module {
  readonly dense: Linear;

  constructor(given: BertOptions) {
    super();
    this.dense = projection(given, given.hiddenSize, given.intermediateSize ?? 4 * given.hiddenSize);
  }

  forward(x: Tensor): Tensor {
    return geluExact(this.dense.forward(x));
  }
}

/** The end of a branch: a projection, added to what went into the branch, then normalised. */
class Output extends Module {
  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;
  readonly #dropout: number;

  constructor(given: BertOptions, inputSize: number) {
    super();
    this.dense = projection(given, inputSize, given.hiddenSize);
    this.LayerNorm = new LayerNorm(given.hiddenSize, given.layerNormEps);
    this.#dropout = given.hiddenDropoutProb;
  }

  forward(x: Tensor, residual: Tensor, context: ForwardContext): Tensor {
    return this.LayerNorm.forward(add(dropout(this.dense.forward(x), this.#dropout, context), residual));
  }
}

/** The first position stands for the whole sequence: (B, T, C) → (B, C). */
class Pooler extends Module {
  readonly dense: Linear;

  constructor(given: BertOptions) {
    super();
    this.dense = projection(given, given.hiddenSize, given.hiddenSize);
  }

  forward(x: Tensor): Tensor {
    return tanh(this.dense.forward(reshape(slice(x, 1, 0, 1), [x.dim(0), x.dim(2)])));
  }
}

class Heads extends Module {
  readonly predictions: Predictions;

  constructor(given: BertOptions) {
    super();
    this.predictions = new Predictions(given);
  }
}

/** Logits of the token at every position, made with the token embedding. */
class Predictions extends Module {
  readonly bias: Parameter;
  readonly transform: Transform;

  constructor(given: BertOptions) {
    super();
    this.bias = new Parameter([given.vocabSize], zeros);
    this.transform = new Transform(given);
  }

  forward(x: Tensor, words: Tensor): Tensor {
    return linear(this.transform.forward(x), words, this.bias, { transposed: true });
  }
}

class Transform extends Module {
  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;

  constructor(given: BertOptions) {
    super();
    this.dense = projection(given, given.hiddenSize, given.hiddenSize);
    this.LayerNorm = new LayerNorm(given.hiddenSize, given.layerNormEps);
  }

  forward(x: Tensor): Tensor {
    return this.LayerNorm.forward(geluExact(this.dense.forward(x)));
  }
}

function projection({ initializerRange }: BertOptions, from: number, to: number): Linear {
  return new Linear(from, to, { initialize: normal(initializerRange) });
}

function configOf(given: BertOptions, architecture: string): Readonly<Record<string, unknown>> {
  return {
    model_type: "bert",
    architectures: [architecture],
    vocab_size: given.vocabSize,
    max_position_embeddings: given.maxPositionEmbeddings,
    type_vocab_size: given.typeVocabSize,
    hidden_size: given.hiddenSize,
    num_hidden_layers: given.numHiddenLayers,
    num_attention_heads: given.numAttentionHeads,
    intermediate_size: given.intermediateSize ?? 4 * given.hiddenSize,
    hidden_act: "gelu",
    layer_norm_eps: given.layerNormEps,
    initializer_range: given.initializerRange,
    hidden_dropout_prob: given.hiddenDropoutProb,
    attention_probs_dropout_prob: given.attentionProbsDropoutProb,
    classifier_dropout: given.classifierDropout ?? null,
    tie_word_embeddings: true,
  };
}
