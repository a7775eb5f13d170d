/**
 * `codex-ml/registry`: the five registries, their contracts, and what a plugin needs to fulfil them.
 *
 * Importing it takes a few milliseconds: no component, and no library that one is made with, is loaded before a name is
 * asked for.
 */
import { type DataLoader, dataLoaders } from "../data-loaders/index.ts";
import { type Metric, metrics } from "../metrics/index.ts";
import { type Model, models } from "../models/index.ts";
import { createRegistry, Discovery, type DiscoveryOptions, type Registry } from "../registry/index.ts";
import { type Tokenizer, tokenizers } from "../tokenizers/index.ts";
import { type Trainer, trainers } from "../trainers/index.ts";

export {
  type DataLoader,
  dataLoaderRegistry,
  defineDataLoader,
  type Example,
  type ExampleRequest,
  getDataLoader,
  registerDataLoader,
  type Split,
} from "../data-loaders/index.ts";
export {
  defineMetric,
  type EvaluatedExample,
  getMetric,
  type Metric,
  type MetricFunction,
  type MetricInput,
  type MetricValue,
  metricRegistry,
  registerMetric,
  type StreamingMetric,
} from "../metrics/index.ts";
export {
  defineModel,
  getModel,
  type KeyValue,
  type Model,
  type ModelInputs,
  type ModelOutputs,
  modelRegistry,
  registerModel,
  type Task,
} from "../models/index.ts";
export * from "../registry/index.ts";
export {
  defineTokenizer,
  getTokenizer,
  registerTokenizer,
  type Tokenizer,
  tokenizerRegistry,
} from "../tokenizers/index.ts";
export type * from "../trainers/events.ts";
export {
  type Checkpoint,
  defineTrainer,
  getTrainer,
  type NamedMetric,
  registerTrainer,
  type Trainer,
  type TrainingContext,
  trainerRegistry,
} from "../trainers/index.ts";

/** One registry of each kind. */
export interface Registries {
  readonly tokenizers: Registry<Tokenizer>;
  readonly models: Registry<Model>;
  readonly metrics: Registry<Metric>;
  readonly dataLoaders: Registry<DataLoader>;
  readonly trainers: Registry<Trainer>;
}

/**
 * A set of registries by itself, for a test or for one tenant of a server: nothing registered in it is seen elsewhere,
 * and it looks for packages in its own `root`. The five share what they find.
 *
 * @example const { metrics } = createRegistries({ plugins: false });
 */
export function createRegistries(options: DiscoveryOptions = {}): Registries {
  const discovery = new Discovery(options);
  return {
    tokenizers: createRegistry(tokenizers, discovery),
    models: createRegistry(models, discovery),
    metrics: createRegistry(metrics, discovery),
    dataLoaders: createRegistry(dataLoaders, discovery),
    trainers: createRegistry(trainers, discovery),
  };
}
