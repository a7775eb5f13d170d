/** The second process of the checks that compare two: builds a component, says what it does, and ends. */
import { fileURLToPath } from "node:url";
import { dataLoaders } from "../data-loaders/index.ts";
import { metrics } from "../metrics/index.ts";
import { models } from "../models/index.ts";
import { describeError } from "../packages/index.ts";
import type { Factory, RegistryKind } from "../registry/component.ts";
import { tokenizers } from "../tokenizers/index.ts";
import { trainers } from "../trainers/index.ts";
import { observeDataLoader } from "./data-loader-observed.ts";
import { type Observation, plain } from "./difference.ts";
import { observeMetric } from "./metric-samples.ts";
import { observeModel } from "./model-observed.ts";
import type { ProcessAnswer, ProcessRequest } from "./second-process.ts";
import { Subject } from "./subject.ts";
import { observeTokenizer } from "./tokenizer-observed.ts";
import { observeTrainer } from "./trainer-observed.ts";

/** Builds and observes a component of one kind. `told` came from that kind's checks, and is what they gave. */
function observer<Component, Told>(
  kind: RegistryKind<Component>,
  observe: (component: Component, told: Told) => Promise<Observation>,
  added: (told: Told) => Readonly<Record<string, unknown>> = () => ({}),
) {
  return async (factory: unknown, { given, told }: ProcessRequest): Promise<Observation> => {
    const { options, directory } = given;
    const subject = new Subject(
      kind,
      factory as Factory<Component>,
      { options, ...(directory !== undefined && { directory }) },
      added(told as Told),
    );
    return observe(await subject.build(), told as Told);
  };
}

const observers: Readonly<
  Record<string, (factory: unknown, request: ProcessRequest) => Promise<Observation>>
> = {
  [tokenizers.kind]: observer(tokenizers, observeTokenizer),
  [models.kind]: observer(models, observeModel, (added) => added),
  [metrics.kind]: observer(metrics, observeMetric),
  [dataLoaders.kind]: observer(dataLoaders, observeDataLoader),
  [trainers.kind]: observer(trainers, observeTrainer),
};

async function answer(request: ProcessRequest): Promise<ProcessAnswer> {
  try {
    const url = new URL(request.module);
    const exportName = url.hash === "" ? "default" : decodeURIComponent(url.hash.slice(1));
    url.hash = "";
    const exported = (await import(url.href)) as Readonly<Record<string, unknown>>;
    if (!Object.hasOwn(exported, exportName))
      return {
        error: `${url.protocol === "file:" ? fileURLToPath(url) : url.href} has no export "${exportName}"`,
      };
    const observe = observers[request.kind];
    if (observe === undefined) return { error: `there is no kind "${request.kind}"` };
    return { observation: plain(await observe(exported[exportName], request)) };
  } catch (error) {
    return { error: describeError(error) };
  }
}

process.once("message", async (request) => {
  const result = await answer(request as ProcessRequest);
  process.send?.(result, () => process.exit());
});
