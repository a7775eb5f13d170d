import type { ForwardContext, Parameter } from "../nn/index.ts";
import {
  type ArgumentsFor,
  type Definition,
  globalRegistry,
  type RegistryKind,
  type ResultFor,
} from "../registry/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { bert } from "./bert.ts";
import type { embeddingBag } from "./embedding-bag.ts";
import type { gpt2 } from "./gpt2.ts";
import type { llama } from "./llama.ts";

/** What a model is for; decides which trainers can train it. */
export type Task = "causal_lm" | "masked_lm" | "sequence_classification";

/** What one attention layer keeps of positions: rotated keys, and values, each float32 (B, KV, positions, D). */
export interface KeyValue {
  readonly key: Tensor;
  readonly value: Tensor;
}

export interface ModelInputs {
  /** Token ids, int32 (B, T). */
  readonly inputIds: Tensor;
  /**
   * int32 (B, T): 0 where there is padding, else the number (from 1) of the document at this position; positions attend to
   * those of the same number. With one document a row this is Hugging Face's mask of zeros and ones. Absent: all of every
   * row is one document, or padding is at the end of a causal model, where no counted position sees it. With
   * `pastKeyValues` it is never absent and covers them, too: (B, P + T).
   */
  readonly attentionMask?: Tensor;
  /** int32 (B, T): places in their documents, from 0. Absent: 0 to T − 1. With `pastKeyValues` it is never absent. */
  readonly positionIds?: Tensor;
  /** int32 (B, T): 0 for the first text of a pair, 1 for the second. Absent: 0. */
  readonly tokenTypeIds?: Tensor;
  /**
   * The `keyValues` of P positions before these, layer by layer: only ever given to a model whose outputs have some. Some of
   * the P may hold nothing yet; `attentionMask` is 0 there.
   */
  readonly pastKeyValues?: readonly KeyValue[];
}

export interface ModelOutputs {
  /**
   * Unnormalised log-probabilities, float32. `causal_lm`: of the next token at every position, (B, T, V); `masked_lm`: of
   * the token at every position, (B, T, V); `sequence_classification`: of the classes, (B, L).
   */
  readonly logits: Tensor;
  /**
   * Keys and values of the T positions, layer by layer, (B, KV, T, D), for a model that takes them back as `pastKeyValues`:
   * then writing a token costs one position. Absent: the model is asked for all positions again at each token.
   */
  readonly keyValues?: readonly KeyValue[];
}

/**
 * A model: named parameters, and `forward` written with symbolic tensors. Training, evaluation, generation and export all
 * trace the same `forward`; it is called with numbers as dimensions for the first two and with free symbols for the others.
 *
 * Options: the run adds `vocabSize` (the tokenizer's) to the options of a model where the run file gives none, and
 * `labels` (the names of the data's classes) when the trainer's task is `sequence_classification`.
 */
export interface Model {
  readonly task: Task;
  /** Ids that the model can read and predict, V. */
  readonly vocabSize: number;
  /** Positions that the model can see, the largest T; `Infinity` for one that reads any number. */
  readonly maxPositionEmbeddings: number;
  /** The model's configuration in the form of a Hugging Face `config.json` (`model_type`, `vocab_size` …). */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of the classes, L of them, in the order of the logits: for `sequence_classification`. */
  readonly labels?: readonly string[] | undefined;
  /** Every trained tensor once, under a unique name, in a stable order. */
  parameters(): readonly Parameter[];
  /** Builds the graph from inputs to outputs. Pure: two calls give equal graphs. */
  forward(inputs: ModelInputs, context: ForwardContext): ModelOutputs;
}

function checkModel(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "an object with parameters and forward";
  const model = value as Partial<Model>;
  for (const method of ["parameters", "forward"] as const)
    if (typeof model[method] !== "function") return `a function \`${method}\``;
  for (const field of ["vocabSize", "maxPositionEmbeddings"] as const)
    if (!Number.isInteger(model[field]) || Number(model[field]) < 1)
      if (field === "vocabSize" || model[field] !== Number.POSITIVE_INFINITY)
        return `a positive integer \`${field}\``;
  if (typeof model.config !== "object" || model.config === null) return "an object `config`";
  if (typeof model.task !== "string") return 'a string `task`, for example "causal_lm"';
  return undefined;
}

export const models: RegistryKind<Model> = {
  kind: "models",
  noun: "model",
  group: "codex_ml.models",
  check: checkModel,
  builtins: {
    gpt2: {
      load: async () => (await import("./gpt2.ts")).gpt2,
      aliases: ["gpt"],
      description: "GPT-2: a decoder-only transformer (Radford et al. 2019).",
    },
    llama: {
      load: async () => (await import("./llama.ts")).llama,
      description:
        "Llama: a decoder with rotary positions, RMSNorm, SwiGLU and grouped-query attention (Touvron et al. 2023).",
    },
    bert: {
      load: async () => (await import("./bert.ts")).bert,
      description: "BERT: an encoder, for masked language modelling or classification (Devlin et al. 2019).",
    },
    embedding_bag: {
      load: async () => (await import("./embedding-bag.ts")).embeddingBag,
      aliases: ["fasttext"],
      description:
        "fastText's classifier: the mean of token and n-gram vectors, then a linear layer (Joulin et al. 2016).",
    },
  },
};

export const modelRegistry = globalRegistry(models);

/** Registers a model under a name; see {@link Registry.register} for the three forms. */
export const registerModel = modelRegistry.register;

declare global {
  namespace CodexMl {
    /** Factories by name, for the types of {@link getModel}. Packages and projects add theirs. */
    interface Models {
      gpt2: typeof gpt2;
      llama: typeof llama;
      bert: typeof bert;
      embedding_bag: typeof embeddingBag;
    }
  }
}

/**
 * Imports, validates the options of, and builds the model `name`. Where `CodexMl.Models` knows the name, options and result
 * have its types.
 */
export function getModel<Name extends string>(
  name: Name | keyof CodexMl.Models,
  ...[options]: ArgumentsFor<CodexMl.Models, Name>
): Promise<ResultFor<CodexMl.Models, Name, Model>> {
  return modelRegistry.create(name, options) as Promise<ResultFor<CodexMl.Models, Name, Model>>;
}

/** Describes a model: description, options schema, `create`. */
export function defineModel<Input, Output>(
  definition: Definition<Model, Input, Output>,
): Definition<Model, Input, Output> {
  return definition;
}
