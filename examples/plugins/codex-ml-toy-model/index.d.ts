import type { Model } from "codex-ml/registry";

export interface ToyModelOptions {
  /** Ids that it reads and predicts. A run adds the tokenizer's. */
  readonly vocabSize: number;
  /** Width of the embedding; the MLP is four times as wide. Default 32. */
  readonly hiddenSize?: number;
  /** Length of the sequences that it is trained on. Default 64. */
  readonly maxPositionEmbeddings?: number;
}

/** Predicts each token from the one before it and nothing else. */
export declare function build(options: ToyModelOptions): Model;
