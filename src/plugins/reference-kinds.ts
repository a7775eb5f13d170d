import type { Registries } from "../run/registries.ts";

/** What pages say of a kind. */
export interface ReferenceKind {
  readonly title: string;
  /** As `plugins list --kind` has it. */
  readonly kind: string;
  /** The contract in a sentence or two. */
  readonly contract: string;
  /** Name of the interface. */
  readonly type: string;
  /** Function that builds one by its name. */
  readonly get: string;
  /** A line of a run file. */
  readonly example: string;
  /** Key of the run file that names one; a list where there can be several. */
  readonly slot: string;
  readonly isList?: boolean;
  /** Options that nearly every run file gives, though another may stand for them. */
  readonly usual?: readonly string[];
  /** Options that the run adds where the run file gives none. */
  readonly adds?: readonly string[];
  /** Head of the column that tells the most of one, see `componentGist`. */
  readonly gist?: string;
  /** A page about all of the kind, from the folder of the reference. */
  readonly guide?: readonly [title: string, path: string];
}

export const referenceKinds: Readonly<Record<keyof Registries, Omit<ReferenceKind, "kind">>> = {
  tokenizers: {
    title: "Tokenizers",
    contract:
      "Text to token ids and back: `encode(text)`, `decode(ids)`, `vocabSize`. One that learns from the corpus has `train`, `save` and `load`, too.",
    type: "Tokenizer",
    get: "getTokenizer",
    example: "tokenizer: { name: bpe, vocabSize: 2048 }",
    slot: "tokenizer",
    guide: ["Tokenizers", "../../tokenizers.md"],
  },
  models: {
    title: "Models",
    contract:
      "Named `parameters()`, and `forward(inputs, context)`, written with symbolic tensors: token ids (B, T) in; out come logits, (B, T, V) of a language model, (B, L) of a classifier. A run adds `vocabSize`, the tokenizer's, to the options where the run file gives none, and for classifiers `labels`.",
    type: "Model",
    get: "getModel",
    example: "model: { name: gpt2, numHiddenLayers: 4, numAttentionHeads: 4, hiddenSize: 128 }",
    slot: "model",
    adds: ["vocabSize", "labels"],
    gist: "task",
  },
  metrics: {
    title: "Metrics",
    contract:
      "A function of the predicted and the expected ids of a split, or an object that sees the split one sequence at a time: `reads`, `update`, `compute`, `reset`, `state`, `merge`.",
    type: "Metric",
    get: "getMetric",
    example: "metrics: [perplexity, bits_per_byte]",
    slot: "metrics",
    isList: true,
    gist: "reads",
  },
  dataLoaders: {
    title: "Data loaders",
    contract:
      "Where examples come from: `splits`, `examples(split, request)`, `texts(split)` for tokenizers that learn, a `fingerprint()` of the data, and the names of its classes, `labels()`, where it has some. The same request gives the same examples, always.",
    type: "DataLoader",
    get: "getDataLoader",
    example: "data: { name: text, path: moby-dick.txt, validation: 0.1 }",
    slot: "data",
    usual: ["path"],
    guide: ["Data loaders", "../../data-loaders.md"],
  },
  trainers: {
    title: "Trainers",
    contract:
      "`train(context)` is given the other four components and yields events: steps, evaluations, checkpoints, and at last an end.",
    type: "Trainer",
    get: "getTrainer",
    example: "trainer: { name: causal_lm, maxSteps: 800, learningRate: 3.0e-3 }",
    slot: "trainer",
    usual: ["maxSteps"],
    gist: "task",
  },
};
