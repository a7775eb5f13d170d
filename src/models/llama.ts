import { z } from "zod";
import { Embedding, type ForwardContext, Linear, Module, normal, RMSNorm } from "../nn/index.ts";
import {
  add,
  arange,
  attention,
  attentionBias,
  cast,
  causalAttention,
  constant,
  cos,
  type Dim,
  linear,
  mul,
  reshape,
  rotary,
  silu,
  sin,
  type Tensor,
  transpose,
} from "../tensor/index.ts";
import { defineModel, type Model, type ModelInputs, type ModelOutputs } from "./index.ts";

const size = z.int().positive();

const options = z.strictObject({
  vocabSize: size.describe("Ids that the model knows. The run fills in the tokenizer's."),
  maxPositionEmbeddings: size.default(128).describe("Longest sequence, in tokens."),
  hiddenSize: size.default(128).describe("Width of the residual stream."),
  intermediateSize: size
    .optional()
    .describe("Width of the MLP. Default: 8/3 · hiddenSize, rounded up to a multiple of 32."),
  numHiddenLayers: size.default(4).describe("Number of blocks."),
  numAttentionHeads: size.default(4).describe("Query heads of a block."),
  numKeyValueHeads: size
    .optional()
    .describe("Key and value heads of a block; divides numAttentionHeads. Default: numAttentionHeads."),
  headDim: size
    .optional()
    .describe("Width of a head, an even number. Default: hiddenSize / numAttentionHeads."),
  rmsNormEps: z.number().positive().default(1e-6).describe("Added to the mean square."),
  ropeTheta: z.number().positive().default(10_000).describe("Base of the rotary embedding's wavelengths."),
  initializerRange: z.number().positive().default(0.02).describe("Standard deviation of the first weights."),
  attentionDropout: z.number().min(0).lt(1).default(0).describe("Probability of dropout in attention."),
  tieWordEmbeddings: z.boolean().default(false).describe("Whether logits are made with the token embedding."),
});

type LlamaOptions = z.output<typeof options>;

function headsOf({
  numAttentionHeads: H,
  numKeyValueHeads: KV = H,
  hiddenSize: C,
  headDim: D = C / H,
}: LlamaOptions) {
  return { KV, G: H / KV, D };
}

function innerSize({ hiddenSize, intermediateSize }: LlamaOptions): number {
  return intermediateSize ?? 32 * Math.ceil((8 * hiddenSize) / 3 / 32);
}

/**
 * Llama: RMSNorm before each branch, rotary position embedding, SwiGLU, and the grouped-query attention of Llama 2.
 * Parameters have the names of Hugging Face's `LlamaForCausalLM`. Source: Touvron et al. (2023), "LLaMA: Open and Efficient
 * Foundation Language Models"; (2023), "Llama 2: Open Foundation and Fine-Tuned Chat Models".
 */
export const llama = defineModel({
  description:
    "Llama: a decoder with rotary positions, RMSNorm, SwiGLU and grouped-query attention (Touvron et al. 2023).",
  options: options
    .refine((given) => Number.isInteger(headsOf(given).G), {
      path: ["numKeyValueHeads"],
      message: "must divide numAttentionHeads",
    })
    .refine((given) => headsOf(given).D % 2 === 0, {
      path: ["headDim"],
      message:
        "must be even: positions turn pairs of elements (by default it is hiddenSize / numAttentionHeads)",
    }),
  create: (given) => new LlamaForCausalLM(given),
});

class LlamaForCausalLM extends Module implements Model {
  readonly task = "causal_lm";
  readonly model: LlamaModel;
  readonly lm_head: Linear | undefined;
  readonly vocabSize: number;
  readonly maxPositionEmbeddings: number;
  readonly config: Readonly<Record<string, unknown>>;

  constructor(given: LlamaOptions) {
    super();
    this.model = new LlamaModel(given);
    this.lm_head = given.tieWordEmbeddings ? undefined : projection(given, given.hiddenSize, given.vocabSize);
    this.vocabSize = given.vocabSize;
    this.maxPositionEmbeddings = given.maxPositionEmbeddings;
    const { KV, D } = headsOf(given);
    this.config = {
      model_type: "llama",
      architectures: ["LlamaForCausalLM"],
      vocab_size: given.vocabSize,
      max_position_embeddings: given.maxPositionEmbeddings,
      hidden_size: given.hiddenSize,
      intermediate_size: innerSize(given),
      num_hidden_layers: given.numHiddenLayers,
      num_attention_heads: given.numAttentionHeads,
      num_key_value_heads: KV,
      head_dim: D,
      hidden_act: "silu",
      rms_norm_eps: given.rmsNormEps,
      rope_theta: given.ropeTheta,
      initializer_range: given.initializerRange,
      attention_bias: false,
      attention_dropout: given.attentionDropout,
      mlp_bias: false,
      tie_word_embeddings: given.tieWordEmbeddings,
    };
  }

  forward(inputs: ModelInputs, context: ForwardContext): ModelOutputs {
    const hidden = this.model.forward(inputs, context); //                                      (B, T, C)
    const { weight } = this.lm_head ?? this.model.embed_tokens;
    return { logits: linear(hidden, weight, undefined, { transposed: true }) }; //              (B, T, V)
  }
}

class LlamaModel extends Module {
  readonly embed_tokens: Embedding;
  readonly layers: readonly DecoderLayer[];
  readonly norm: RMSNorm;
  readonly #frequencies: Tensor;

  constructor(given: LlamaOptions) {
    super();
    this.embed_tokens = new Embedding(given.vocabSize, given.hiddenSize, normal(given.initializerRange));
    this.layers = Array.from({ length: given.numHiddenLayers }, () => new DecoderLayer(given));
    this.norm = new RMSNorm(given.hiddenSize, given.rmsNormEps);
    const { D } = headsOf(given);
    // θᵢ = base^(−2i/D) radians a position for the pair i (Su et al. 2021, eq. 15).
    const turns = Float32Array.from({ length: D / 2 }, (_, pair) => given.ropeTheta ** ((-2 * pair) / D));
    this.#frequencies = constant(turns, "float32");
  }

  forward({ inputIds, attentionMask, positionIds }: ModelInputs, context: ForwardContext): Tensor {
    const T = inputIds.dim(1);
    const positions = positionIds ? reshape(positionIds, [-1, T, 1]) : reshape(arange(T), [1, T, 1]);
    const angles = mul(cast(positions, "float32"), this.#frequencies); //                       (B or 1, T, D/2)
    const place: Place = {
      cos: cos(angles),
      sin: sin(angles),
      bias: attentionMask && attentionBias(attentionMask, { causal: true }), //                 (B, 1, T, T)
    };
    let x = this.embed_tokens.forward(inputIds); //                                             (B, T, C)
    for (const layer of this.layers) x = layer.forward(x, place, context);
    return this.norm.forward(x);
  }
}

/** What every layer needs to know of where tokens stand: how far to turn them, and who sees whom (absent: causal). */
interface Place {
  readonly cos: Tensor;
  readonly sin: Tensor;
  readonly bias: Tensor | undefined;
}

class DecoderLayer extends Module {
  readonly self_attn: Attention;
  readonly mlp: Mlp;
  readonly input_layernorm: RMSNorm;
  readonly post_attention_layernorm: RMSNorm;

  constructor(given: LlamaOptions) {
    super();
    this.self_attn = new Attention(given);
    this.mlp = new Mlp(given);
    this.input_layernorm = new RMSNorm(given.hiddenSize, given.rmsNormEps);
    this.post_attention_layernorm = new RMSNorm(given.hiddenSize, given.rmsNormEps);
  }

  forward(x: Tensor, place: Place, context: ForwardContext): Tensor {
    const y = add(x, this.self_attn.forward(this.input_layernorm.forward(x), place, context));
    return add(y, this.mlp.forward(this.post_attention_layernorm.forward(y)));
  }
}

/** KV groups of G query heads; each group shares a key head and a value head (Ainslie et al. 2023). */
class Attention extends Module {
  readonly q_proj: Linear;
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly o_proj: Linear;
  readonly #heads: ReturnType<typeof headsOf>;
  readonly #dropout: number;

  constructor(given: LlamaOptions) {
    super();
    this.#heads = headsOf(given);
    const { KV, G, D } = this.#heads;
    this.q_proj = projection(given, given.hiddenSize, KV * G * D);
    this.k_proj = projection(given, given.hiddenSize, KV * D);
    this.v_proj = projection(given, given.hiddenSize, KV * D);
    this.o_proj = projection(given, KV * G * D, given.hiddenSize);
    this.#dropout = given.attentionDropout;
  }

  forward(x: Tensor, { cos, sin, bias }: Place, context: ForwardContext): Tensor {
    const [B, T] = x.shape as [Dim, Dim, number];
    const { KV, G, D } = this.#heads;
    const heads = (y: Tensor, count: number) => transpose(reshape(y, [B, T, count, D]), [0, 2, 1, 3]);
    const q = rotary(heads(this.q_proj.forward(x), KV * G), cos, sin); //                       (B, H, T, D)
    const k = rotary(heads(this.k_proj.forward(x), KV), cos, sin); //                           (B, KV, T, D)
    const v = heads(this.v_proj.forward(x), KV); //                                             (B, KV, T, D)
    const grouped = [
      reshape(q, [B, KV, G, T, D]),
      reshape(k, [B, KV, 1, T, D]),
      reshape(v, [B, KV, 1, T, D]),
    ] as const;
    const dropout = context.dropoutFactors([B, KV, G, T, T], this.#dropout);
    const mixed = bias //                                                                       (B, KV, G, T, D)
      ? attention(...grouped, { dropout, bias: reshape(bias, [B, 1, 1, T, T]) })
      : causalAttention(...grouped, dropout);
    const joined = transpose(reshape(mixed, [B, KV * G, T, D]), [0, 2, 1, 3]);
    return this.o_proj.forward(reshape(joined, [B, T, KV * G * D])); //                         (B, T, C)
  }
}

/** SwiGLU (Shazeer 2020). */
class Mlp extends Module {
  readonly gate_proj: Linear;
  readonly up_proj: Linear;
  readonly down_proj: Linear;

  constructor(given: LlamaOptions) {
    super();
    this.gate_proj = projection(given, given.hiddenSize, innerSize(given));
    this.up_proj = projection(given, given.hiddenSize, innerSize(given));
    this.down_proj = projection(given, innerSize(given), given.hiddenSize);
  }

  forward(x: Tensor): Tensor {
    return this.down_proj.forward(mul(silu(this.gate_proj.forward(x)), this.up_proj.forward(x)));
  }
}

function projection({ initializerRange }: LlamaOptions, from: number, to: number): Linear {
  return new Linear(from, to, { bias: false, initialize: normal(initializerRange) });
}
