/**
 * Typed use of `get…`, checked by `tsc` (`npm run check:types`): every `@ts-expect-error` must be one. Nothing here runs.
 */
import {
  getMetric,
  getModel,
  getTokenizer,
  getTrainer,
  type Metric,
  type StreamingMetric,
} from "../../src/faces/registry.ts";

class Counter implements StreamingMetric {
  readonly reads = [] as const;
  readonly unit: string;
  constructor(options: { unit: string }) {
    this.unit = options.unit;
  }
  update(): void {}
  compute(): number {
    return 0;
  }
  reset(): void {}
  state(): unknown {
    return 0;
  }
  merge(): void {}
}

class Bare extends Counter {
  constructor() {
    super({ unit: "s" });
  }
}

declare global {
  namespace CodexMl {
    interface Metrics {
      typed_counter: typeof Counter;
      typed_share: (options: { k?: number }) => Promise<() => number>;
      typed_plain: () => () => number;
      typed_optional: (options?: { k?: number }, context?: { directory: string }) => () => number;
      typed_bare: typeof Bare;
    }
  }
}

export async function builtins(): Promise<void> {
  await getTokenizer("bpe");
  await getTokenizer("bpe", { vocabSize: 512 });
  // @ts-expect-error: a misspelt option
  await getTokenizer("bpe", { vocabsize: 512 });
  // @ts-expect-error: a wrong type
  await getTokenizer("bpe", { vocabSize: "512" });
  await getTrainer("causal_lm", { maxSteps: 10 });
  await getTrainer("causal_lm", { numTrainEpochs: 0.5 });
  // @ts-expect-error: a misspelt option
  await getTrainer("causal_lm", { maxStep: 4 });
  // @ts-expect-error: a wrong type
  await getTrainer("causal_lm", { maxSteps: "4" });
  const model = await getModel("gpt2", { vocabSize: 10 });
  model.parameters();
  const perplexity = await getMetric("perplexity");
  perplexity.update({ labels: Int32Array.of(1), tokenLosses: Float32Array.of(1) });
  const value: number = perplexity.compute();
  // @ts-expect-error: an example of wrong type
  perplexity.update({ labels: [1] });
  void value;
}

export async function declared(): Promise<void> {
  const counter = await getMetric("typed_counter", { unit: "ms" });
  const unit: string = counter.unit;
  // @ts-expect-error: the unit is required
  await getMetric("typed_counter");
  const share = await getMetric("typed_share", { k: 3 });
  await getMetric("typed_share");
  // @ts-expect-error: a wrong type
  await getMetric("typed_share", { k: "3" });
  await getMetric("typed_plain");
  // @ts-expect-error: it takes no options
  await getMetric("typed_plain", { k: 3 });
  await getMetric("typed_optional");
  await getMetric("typed_optional", { k: 3 });
  // @ts-expect-error: a wrong type
  await getMetric("typed_optional", { k: "3" });
  // @ts-expect-error: a misspelt option
  await getMetric("typed_optional", { kk: 3 });
  await getMetric("typed_bare");
  // @ts-expect-error: its constructor takes no options
  await getMetric("typed_bare", { unit: "ms" });
  void [unit, share];
}

export async function unknownNames(name: string): Promise<void> {
  const any: Metric = await getMetric(name, { whatever: true });
  const other: Metric = await getMetric("somebody-elses", 42);
  void [any, other];
}
