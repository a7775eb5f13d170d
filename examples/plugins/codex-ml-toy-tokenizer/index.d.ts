import type { Tokenizer } from "codex-ml/registry";

export interface ToyTokenizerOptions {
  /** Its characters, each once and none a capital; ids are their places, from 1. */
  readonly alphabet?: string;
}

/** One id per character of a fixed alphabet; 0 is every other character. */
export declare function build(options?: ToyTokenizerOptions): Tokenizer;
