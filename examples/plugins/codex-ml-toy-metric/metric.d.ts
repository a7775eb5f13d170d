import type { Definition, Metric } from "codex-ml/registry";

/** Mean over sequences of the share of tokens predicted right. It takes no options. */
export declare const build: Definition<Metric, Record<string, never>>;
