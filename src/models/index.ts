import type { ForwardContext, Parameter } from "../nn/index.ts";
import {
  type ArgumentsFor,
  type Definition,
  globalRegistry,
  type RegistryKind,
  type ResultFor,
} from "../registry/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { gpt2 } from "./gpt2.ts";

/** What a model is for; decides which trainers can train it. */
export type Task = "causal_lm";

export interface ModelInputs {
  /** Token ids, int32 (B, T). */
  readonly inputIds: Tensor;
}

export interface ModelOutputs {
  /** Unnormalised log-probabilities of the next token at every position, float32 (B, T, V). */
  readonly logits: Tensor;
}

/**
 * A model: named parameters, and `forward` written with symbolic tensors. Training, evaluation, generation and export all
 * trace the same `forward`; it is called with numbers as dimensions for the first two and with free symbols for the others.
 *
 * Options: the run adds `vocabSize` (the tokenizer's) to the options of a model where the run file gives none.
 */
export interface Model {
  readonly task: Task;
  /** Ids that the model can read and predict, V. */
  readonly vocabSize: number;
  /** Positions that the model can see, the largest T. */
  readonly maxPositionEmbeddings: number;
  /** The model's configuration in the form of a Hugging Face `config.json` (`model_type`, `vocab_size` …). */
  readonly config: Readonly<Record<string, unknown>>;
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
    if (!Number.isInteger(model[field]) || Number(model[field]) < 1) return `a positive integer \`${field}\``;
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
