import type { Metric, MetricInput } from "../metrics/index.ts";
import type { Model, Task } from "../models/index.ts";
import { type Registry, RegistryFactoryError, RegistryOptionsError } from "../registry/index.ts";
import type { Registries } from "../run/registries.ts";
import { causalObjective } from "../trainers/causal-objective.ts";
import type { Trainer } from "../trainers/index.ts";

/**
 * What components say of themselves once they are built, by their names: what metrics read and what trainers give them, which
 * models are for which task, which tokenizers learn. One that needs options that are not known here is in none of the maps.
 */
export interface Survey {
  readonly reads: ReadonlyMap<string, readonly MetricInput[]>;
  readonly tasks: ReadonlyMap<string, readonly Task[]>;
  readonly trainers: ReadonlyMap<string, { readonly task: Task; readonly gives: readonly MetricInput[] }>;
  readonly learns: ReadonlyMap<string, boolean>;
}

/** The smallest options of models; `labels` makes a classifier of those that take it. */
const tiny = { vocabSize: 8 };
const classifier = { ...tiny, labels: ["a", "b"] };

/** Builds every component that can be built without knowing more of it. */
export async function surveyComponents(registries: Registries): Promise<Survey> {
  const metrics = await builtBy(registries.metrics, {});
  const tokenizers = await builtBy(registries.tokenizers, {});
  const trainers = await builtBy(registries.trainers, { maxSteps: 1 });
  const models = [await builtBy(registries.models, tiny), await builtBy(registries.models, classifier)];
  const ofTask = (task: Task) =>
    models.flatMap((built) => [...built.values()]).find((model) => model.task === task);
  const tasks = new Map<string, Task[]>();
  for (const built of models)
    for (const [name, { task }] of built) tasks.set(name, [...new Set([...(tasks.get(name) ?? []), task])]);
  return {
    reads: new Map([...metrics].map(([name, metric]) => [name, readsOf(metric)])),
    tasks,
    trainers: new Map(
      [...trainers].map(([name, trainer]) => {
        const task = trainer.task ?? "causal_lm";
        return [name, { task, gives: givesOf(trainer, ofTask(task)) }];
      }),
    ),
    learns: new Map([...tokenizers].map(([name, tokenizer]) => [name, tokenizer.train !== undefined])),
  };
}

async function builtBy<Component>(
  registry: Registry<Component>,
  options: Readonly<Record<string, unknown>>,
): Promise<Map<string, Component>> {
  const built = new Map<string, Component>();
  for (const { name, qualifiedName } of registry.entries())
    try {
      built.set(name, await registry.create(qualifiedName ?? name, options));
    } catch (error) {
      if (error instanceof RegistryOptionsError || error instanceof RegistryFactoryError) continue;
      throw error;
    }
  return built;
}

/** A function reads the predicted ids. */
function readsOf(metric: Metric): readonly MetricInput[] {
  return typeof metric === "function" ? ["predictedIds"] : metric.reads;
}

function givesOf(trainer: Trainer, model: Model | undefined): readonly MetricInput[] {
  return model === undefined ? [] : (trainer.objective?.(model) ?? causalObjective()).gives;
}
