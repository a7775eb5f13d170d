import { z } from "zod";
import { Conv1D, dropout, Embedding, type ForwardContext, LayerNorm, Module, normal } from "../nn/index.ts";
import {
  add,
  attention,
  attentionBias,
  causalAttention,
  type Dim,
  gelu,
  linear,
  reshape,
  slice,
  split,
  type Tensor,
  transpose,
} from "../tensor/index.ts";
import { defineModel, type Model, type ModelInputs, type ModelOutputs } from "./index.ts";

const size = z.int().positive();
const probability = z.number().min(0).lt(1);

const options = z.strictObject({
  vocabSize: size.describe("Ids that the model knows. The run fills in the tokenizer's."),
  maxPositionEmbeddings: size.default(128).describe("Longest sequence, in tokens."),
  hiddenSize: size.default(128).describe("Width of the residual stream."),
  numHiddenLayers: size.default(4).describe("Number of blocks."),
  numAttentionHeads: size.default(4).describe("Attention heads of a block; divides hiddenSize."),
  intermediateSize: size.optional().describe("Width of the MLP. Default: 4 · hiddenSize."),
  layerNormEpsilon: z.number().positive().default(1e-5).describe("Added to the variance."),
  initializerRange: z.number().positive().default(0.02).describe("Standard deviation of the first weights."),
  dropout: probability
    .default(0)
    .describe("Probability of dropout in embeddings, attention and residual branches."),
});

type Gpt2Options = z.output<typeof options>;

/**
 * GPT-2: layer normalisation before each branch, learned positions, GELU, and logits from the token embedding itself. Parameters
 * have the names of Hugging Face's `GPT2LMHeadModel`. Source: Radford et al. (2019), "Language Models are Unsupervised
 * Multitask Learners".
 */
export const gpt2 = defineModel({
  description: "GPT-2: a decoder-only transformer (Radford et al. 2019).",
  options: options.refine((given) => given.hiddenSize % given.numAttentionHeads === 0, {
    path: ["numAttentionHeads"],
    message: "must divide hiddenSize",
  }),
  create: (given) => new Gpt2LMHeadModel(given),
});

/** The transformer and, tied to its token embedding, the projection to logits. */
class Gpt2LMHeadModel extends Module implements Model {
  readonly task = "causal_lm";
  readonly transformer: Transformer;
  readonly vocabSize: number;
  readonly maxPositionEmbeddings: number;
  readonly config: Readonly<Record<string, unknown>>;

  constructor(given: Gpt2Options) {
    super();
    this.transformer = new Transformer(given);
    this.vocabSize = given.vocabSize;
    this.maxPositionEmbeddings = given.maxPositionEmbeddings;
    this.config = {
      model_type: "gpt2",
      architectures: ["GPT2LMHeadModel"],
      vocab_size: given.vocabSize,
      n_positions: given.maxPositionEmbeddings,
      n_embd: given.hiddenSize,
      n_layer: given.numHiddenLayers,
      n_head: given.numAttentionHeads,
      n_inner: given.intermediateSize ?? null,
      activation_function: "gelu_new",
      layer_norm_epsilon: given.layerNormEpsilon,
      initializer_range: given.initializerRange,
      embd_pdrop: given.dropout,
      attn_pdrop: given.dropout,
      resid_pdrop: given.dropout,
      tie_word_embeddings: true,
    };
  }

  forward(inputs: ModelInputs, context: ForwardContext): ModelOutputs {
    const hidden = this.transformer.forward(inputs, context); //                                (B, T, C)
    return { logits: linear(hidden, this.transformer.wte.weight, undefined, { transposed: true }) }; // (B, T, V)
  }
}

class Transformer extends Module {
  readonly wte: Embedding;
  readonly wpe: Embedding;
  readonly h: readonly Block[];
  readonly ln_f: LayerNorm;
  readonly #dropout: number;

  constructor(given: Gpt2Options) {
    super();
    const initialize = normal(given.initializerRange);
    this.wte = new Embedding(given.vocabSize, given.hiddenSize, initialize);
    this.wpe = new Embedding(given.maxPositionEmbeddings, given.hiddenSize, initialize);
    this.h = Array.from({ length: given.numHiddenLayers }, () => new Block(given));
    this.ln_f = new LayerNorm(given.hiddenSize, given.layerNormEpsilon);
    this.#dropout = given.dropout;
  }

  forward({ inputIds, attentionMask, positionIds }: ModelInputs, context: ForwardContext): Tensor {
    const positions = positionIds //                                                            (B, T, C)
      ? this.wpe.forward(positionIds)
      : slice(this.wpe.weight, 0, 0, inputIds.dim(1)); //                                       or (T, C)
    const bias = attentionMask && attentionBias(attentionMask, { causal: true }); //            (B, 1, T, T)
    let x = dropout(add(this.wte.forward(inputIds), positions), this.#dropout, context); //     (B, T, C)
    for (const block of this.h) x = block.forward(x, bias, context);
    return this.ln_f.forward(x);
  }
}

class Block extends Module {
  readonly ln_1: LayerNorm;
  readonly attn: Attention;
  readonly ln_2: LayerNorm;
  readonly mlp: Mlp;

  constructor(given: Gpt2Options) {
    super();
    this.ln_1 = new LayerNorm(given.hiddenSize, given.layerNormEpsilon);
    this.attn = new Attention(given);
    this.ln_2 = new LayerNorm(given.hiddenSize, given.layerNormEpsilon);
    this.mlp = new Mlp(given);
  }

  forward(x: Tensor, bias: Tensor | undefined, context: ForwardContext): Tensor {
    const y = add(x, this.attn.forward(this.ln_1.forward(x), bias, context));
    return add(y, this.mlp.forward(this.ln_2.forward(y), context));
  }
}

class Attention extends Module {
  readonly c_attn: Conv1D;
  readonly c_proj: Conv1D;
  readonly #heads: number;
  readonly #dropout: number;

  constructor(given: Gpt2Options) {
    super();
    this.c_attn = new Conv1D(given.hiddenSize, 3 * given.hiddenSize, normal(given.initializerRange));
    this.c_proj = new Conv1D(given.hiddenSize, given.hiddenSize, residual(given));
    this.#heads = given.numAttentionHeads;
    this.#dropout = given.dropout;
  }

  forward(x: Tensor, bias: Tensor | undefined, context: ForwardContext): Tensor {
    const [B, T, C] = x.shape as [Dim, Dim, number];
    const [H, D] = [this.#heads, C / this.#heads];
    const qkv = transpose(reshape(this.c_attn.forward(x), [B, T, 3, H, D]), [2, 0, 3, 1, 4]);
    const [q, k, v] = split(qkv, 3) as [Tensor, Tensor, Tensor]; //                             (1, B, H, T, D) each
    const factors = context.dropoutFactors([1, B, H, T, T], this.#dropout);
    const mixed = bias //                                                                       (1, B, H, T, D)
      ? attention(q, k, v, { bias, dropout: factors })
      : causalAttention(q, k, v, factors);
    const y = this.c_proj.forward(reshape(transpose(mixed, [0, 1, 3, 2, 4]), [B, T, C])); //    (B, T, C)
    return dropout(y, this.#dropout, context);
  }
}

class Mlp extends Module {
  readonly c_fc: Conv1D;
  readonly c_proj: Conv1D;
  readonly #dropout: number;

  constructor(given: Gpt2Options) {
    super();
    const inner = given.intermediateSize ?? 4 * given.hiddenSize;
    this.c_fc = new Conv1D(given.hiddenSize, inner, normal(given.initializerRange));
    this.c_proj = new Conv1D(inner, given.hiddenSize, residual(given));
    this.#dropout = given.dropout;
  }

  forward(x: Tensor, context: ForwardContext): Tensor {
    return dropout(this.c_proj.forward(gelu(this.c_fc.forward(x))), this.#dropout, context);
  }
}

/** Each block adds twice to the residual stream; smaller first weights keep its variance level (GPT-2 paper, section 2.3). */
function residual(given: Gpt2Options) {
  return normal(given.initializerRange / Math.sqrt(2 * given.numHiddenLayers));
}
