import type { DataLoader } from "codex-ml/registry";

export interface ToyDataLoaderOptions {
  /** How many, from 10 to 4900. Default 1000. */
  readonly sentences?: number;
}

/** Made-up sentences, each different, the same ones every time; the last tenth is for validation. */
export declare function build(options?: ToyDataLoaderOptions): DataLoader;
