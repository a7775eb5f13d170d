import { type DataLoader, dataLoaderRegistry } from "../data-loaders/index.ts";
import { type Metric, metricRegistry } from "../metrics/index.ts";
import { type Model, modelRegistry } from "../models/index.ts";
import type { Origin, Registry } from "../registry/index.ts";
import { type Tokenizer, tokenizerRegistry } from "../tokenizers/index.ts";
import { type Trainer, trainerRegistry } from "../trainers/index.ts";
import type { RunConfig } from "./config.ts";
import { displayPath } from "./problems.ts";

/** Where a run's names are looked up. */
export interface Registries {
  readonly tokenizers: Registry<Tokenizer>;
  readonly dataLoaders: Registry<DataLoader>;
  readonly models: Registry<Model>;
  readonly trainers: Registry<Trainer>;
  readonly metrics: Registry<Metric>;
}

/** The registries that `register…` and `get…` use. */
export const globalRegistries: Registries = {
  tokenizers: tokenizerRegistry,
  dataLoaders: dataLoaderRegistry,
  models: modelRegistry,
  trainers: trainerRegistry,
  metrics: metricRegistry,
};

/**
 * Lets the run's `plugins` decide which packages are looked at. A run that does not mention plugins leaves everything as
 * it is, so that a program which switched them off keeps them off.
 */
export function applyPlugins(plugins: RunConfig["plugins"], registries: Registries): void {
  const { packages, pins } = plugins;
  if (packages === undefined && pins === undefined) return;
  for (const discovery of new Set(
    Object.values(registries).map((registry: Registry<unknown>) => registry.discovery),
  ))
    discovery.configure({
      ...(packages === undefined ? {} : { plugins: packages }),
      ...(pins === undefined ? {} : { pins }),
    });
}

/** An origin as a run records it: `codex-ml@0.1.0`, `my-extension@1.2.0`, `program src/toy.ts:3`. */
export function originLabel({ kind, package: owner, version, location }: Origin): string {
  if (owner !== undefined) return version === undefined ? owner : `${owner}@${version}`;
  return [kind, location === undefined ? undefined : displayPath(location)]
    .filter((part) => part !== undefined)
    .join(" ");
}
