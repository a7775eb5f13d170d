import type { DataLoader } from "../data-loaders/index.ts";
import type { Model, Task } from "../models/index.ts";
import { type Registry, RegistryError, RegistryOptionsError } from "../registry/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import type { ComponentOrigin, NamedMetric, Trainer } from "../trainers/index.ts";
import {
  isGiven,
  type NamedComponent,
  type PartialRunConfig,
  type Slot,
  type Trial,
  trialOf,
} from "./config.ts";
import { errorCode } from "./file-system.ts";
import { importModules } from "./imports.ts";
import { type ConfigPath, RunFileError, type RunFileProblem } from "./problems.ts";
import { applyPlugins, globalRegistries, originLabel, type Registries } from "./registries.ts";
import { completeOptions, type ResolvedSlot, type ResolvedSlots } from "./resolved.ts";
import { restrictedData } from "./restricted-data.ts";
import { isSound, type RunFile } from "./run-file.ts";
import {
  type StartingPoint,
  sameTokenizer,
  startingPoint,
  startParameters,
  withoutFrom,
} from "./start-from.ts";
import { UsageError } from "./usage-error.ts";

/** The components of a run, built and valid, except the model, which waits for the tokenizer's vocabulary. */
export interface Components {
  readonly tokenizer: Tokenizer;
  readonly data: DataLoader;
  readonly trainer: Trainer;
  readonly metrics: readonly NamedMetric[];
  /** Every component with its origin, for the run's first event and its manifest. */
  readonly origins: readonly ComponentOrigin[];
  /** What keeps packages that the run itself asks for from taking part. */
  readonly problems: readonly string[];
  /** Names and options with every default filled in, for `run.yaml`. */
  readonly resolved: ResolvedSlots;
  /**
   * Builds the model for a vocabulary, once the tokenizer is trained, and for the classes of the data.
   *
   * @throws {RunFileError} when the run file gives the model a vocabulary smaller than the tokenizer's, or the data that a
   * classifier is to learn from has no classes.
   */
  createModel(vocabSize: number): Promise<Model>;
  /** What the run is restricted to; `data` is that part already. */
  readonly trial: Trial;
  /** Whether the tokenizer comes ready from the run that it starts from. */
  readonly tokenizerIsTrained: boolean;
  /** Runs that components start from. */
  readonly startedFrom: {
    readonly tokenizer?: StartedFrom | undefined;
    readonly model?: StartedFrom | undefined;
  };
  /** What `createModel` has to say: which weights it starts from. */
  readonly notes: readonly string[];
}

/** A run that a component starts from, and where it has the component's options from. */
export type StartedFrom = Pick<StartingPoint, "shown" | "source">;

export interface BuildOptions {
  /**
   * What the run's tokenizer saved, for a run that goes on: nothing is learned again, and no other run is asked for what this
   * one started from.
   */
  readonly learned?: Readonly<Record<string, string>>;
  /** Whether the run's own `imports` are imported. A run directory is no reason to run code. */
  readonly followImports?: boolean;
}

interface Built<Component> {
  readonly component: Component;
  readonly origin: ComponentOrigin;
  readonly resolved: ResolvedSlot;
}

/** Stand in for what is not known yet, so that the model's options are checked still. */
const provisionalVocabSize = 256;
const provisionalLabels = ["0", "1"];

/** What is computed where a run file does not say. */
const defaultMetrics: Readonly<Record<Task, readonly NamedComponent[]>> = {
  causal_lm: [{ name: "perplexity", options: {} }],
  masked_lm: [{ name: "perplexity", options: {} }],
  sequence_classification: [{ name: "accuracy", options: {} }],
};

/**
 * Builds what a run file names. The model is built too, once and for a provisional vocabulary, so that a mistake in its
 * options is found now and not after the tokenizer was trained.
 *
 * @throws {RunFileError} with the mistakes of all components at once, each at its line and column.
 */
export async function buildComponents(
  runFile: RunFile<PartialRunConfig>,
  registries: Registries = globalRegistries,
  { learned, followImports = learned === undefined }: BuildOptions = {},
): Promise<Components> {
  const { config } = runFile;
  applyPlugins(config.plugins, registries);
  const problems: RunFileProblem[] = [...runFile.problems];
  for (const [index, path] of (followImports ? config.imports : []).entries()) {
    try {
      await importModules([path], runFile.directory);
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      problems.push(runFile.problem(["imports", index], cause.message.replaceAll("\n", "\n  "), { cause }));
    }
  }
  const build = async <Component>(
    kind: string,
    path: ConfigPath,
    slot: Slot<Component> | undefined,
    registry: Registry<Component>,
    added: Readonly<Record<string, unknown>> = {},
    restoring = false,
  ): Promise<Built<Component> | undefined> => {
    // What is wrong with it is among the problems of the top level.
    if (slot === undefined) return undefined;
    try {
      return await buildSlot(runFile, kind, slot, registry, added, restoring);
    } catch (error) {
      problems.push(...explain(runFile, path, slot, error, added));
      return undefined;
    }
  };

  const start = async (key: "tokenizer" | "model"): Promise<StartingPoint | undefined> => {
    const slot = config[key];
    if (learned !== undefined || slot === undefined) return undefined;
    try {
      return await startingPoint(key, slot, runFile.directory);
    } catch (cause) {
      if (!(cause instanceof Error) || errorCode(cause) === undefined) throw cause;
      problems.push(runFile.problem([key, "from"], cause.message, { cause }));
      return undefined;
    }
  };
  const [tokenizerStart, modelStart] = [await start("tokenizer"), await start("model")];
  const tokenizerSlot = tokenizerStart?.slot ?? (config.tokenizer && withoutFrom(config.tokenizer));
  const modelSlot = modelStart?.slot ?? (config.model && withoutFrom(config.model));

  const hasLearned = learned !== undefined && Object.keys(learned).length > 0;
  // One that starts from a run has the run's copy of its files; those that `path` named may be gone.
  const isRestored = tokenizerStart !== undefined || hasLearned;
  const tokenizer = await build(
    "tokenizer",
    ["tokenizer"],
    tokenizerSlot,
    registries.tokenizers,
    {},
    isRestored,
  );
  if (hasLearned) tokenizer?.component.load?.(learned);
  if (tokenizerStart !== undefined) tokenizer?.component.load?.(await tokenizerStart.tokenizerFiles());
  const data = await build("data", ["data"], config.data, registries.dataLoaders);
  // What a model is for its trainer says; mistakes are still told in the order of the model before the trainer.
  const toldBefore = problems.length;
  const trainer = await build("trainer", ["trainer"], config.trainer, registries.trainers);
  const inTrainer = problems.splice(toldBefore);
  const vocabSize = Math.max(1, tokenizer?.component.vocabSize ?? provisionalVocabSize);
  const task = trainer?.component.task ?? "causal_lm";
  const provisional = modelAdditions(task, vocabSize, provisionalLabels);
  const model = await build("model", ["model"], modelSlot, registries.models, provisional);
  // Without its trainer nobody knows whether the run would have added the classes.
  const isAdded = ({ path }: RunFileProblem) => trainer === undefined && path.join(".") === "model.labels";
  if (config.model === undefined || isGiven(config.model) || config.model.options.labels === undefined)
    problems.splice(0, problems.length, ...problems.filter((problem) => !isAdded(problem)));
  if (
    config.trainer !== undefined &&
    config.model !== undefined &&
    trainer !== undefined &&
    model !== undefined &&
    model.component.task !== task
  )
    problems.push(
      runFile.problem(
        ["model"],
        `"${config.model.name}" is a model for ${model.component.task}, and the trainer "${config.trainer.name}" trains models for ${task}`,
        { at: isGiven(config.model) ? ["model"] : ["model", "name"] },
      ),
    );
  problems.push(...inTrainer);
  const metrics: (Built<NamedMetric["metric"]> & { readonly name: string })[] = [];
  for (const [index, slot] of (config.metrics ?? defaultMetrics[task]).entries()) {
    const metric = await build("metric", ["metrics", index], slot, registries.metrics);
    if (metric !== undefined && slot !== undefined) metrics.push({ ...metric, name: slot.name });
  }

  if (
    problems.length > 0 ||
    !isSound(runFile) ||
    modelSlot === undefined ||
    tokenizer === undefined ||
    data === undefined ||
    model === undefined ||
    trainer === undefined
  )
    throw new RunFileError(problems);
  const read = restrictedData(runFile, data.component, trainer.resolved);
  if ("problem" in read) throw new RunFileError([read.problem]);
  const slots = runFile.config;
  const notes: string[] = [];
  return {
    tokenizer: tokenizer.component,
    data: read,
    trainer: trainer.component,
    metrics: metrics.map(({ name, component, origin }) => ({
      name,
      metric: component,
      origin: origin.origin,
    })),
    origins: [tokenizer, data, model, trainer, ...metrics].map(({ origin }) => origin),
    problems: statedProblems(config.plugins, registries),
    resolved: {
      tokenizer: withFrom(tokenizer.resolved, slots.tokenizer),
      data: data.resolved,
      model: withFrom(model.resolved, slots.model),
      trainer: trainer.resolved,
      metrics: metrics.map(({ resolved }) => resolved),
    },
    createModel: async (vocabSize) => {
      const labels = task === "sequence_classification" ? await labelsOf(runFile, read) : provisionalLabels;
      if (modelStart !== undefined && !sameTokenizer(tokenizer.component, await modelStart.tokenizerFiles()))
        throw new RunFileError([
          runFile.problem(
            ["tokenizer"],
            `the model starts from ${modelStart.shown}, which was trained with another vocabulary; take its tokenizer too: the same name, and \`from\` with the same path`,
          ),
        ]);
      const added = modelAdditions(task, vocabSize, labels);
      const created = await createModel(runFile, modelSlot, registries.models, vocabSize, added);
      if (modelStart === undefined) return created;
      try {
        notes.push(startParameters(created, await modelStart.parameters(), modelStart.shown));
      } catch (cause) {
        if (!(cause instanceof UsageError)) throw cause;
        throw new RunFileError([runFile.problem(["model", "from"], cause.message, { cause })]);
      }
      return created;
    },
    tokenizerIsTrained: tokenizerStart !== undefined || learned !== undefined,
    trial: trialOf(config),
    startedFrom: { tokenizer: tokenizerStart, model: modelStart },
    notes,
  };
}

/**
 * Builds the component of one slot: what evaluation and generation need, which do without the others.
 *
 * @param added Options that the run adds where the file gives none: a model's `vocabSize`.
 * @param restoring Whether its `load` is called next.
 * @throws {RunFileError} as {@link buildComponents} does.
 */
export async function createFromSlot<Component>(
  runFile: RunFile<PartialRunConfig>,
  path: ConfigPath,
  slot: Slot<Component>,
  registry: Registry<Component>,
  added: Readonly<Record<string, unknown>> = {},
  restoring = false,
): Promise<Component> {
  try {
    return await createComponent(runFile, slot, registry, added, restoring);
  } catch (error) {
    throw new RunFileError(explain(runFile, path, slot, error, added));
  }
}

/** Problems of the packages that the run names itself; those of others are for `plugins list`. */
function statedProblems({ packages, pins }: RunFile["config"]["plugins"], registries: Registries): string[] {
  const named = new Set([...(Array.isArray(packages) ? packages : []), ...Object.values(pins ?? {})]);
  const all = Object.values(registries).flatMap((registry: Registry<unknown>) => registry.problems());
  const ours = all.filter(({ package: owner, message }) =>
    owner === undefined ? [...named].some((name) => message.includes(name)) : named.has(owner),
  );
  return [...new Set(ours.map(({ message }) => message))];
}

/** What a run adds to the options of its model. */
function modelAdditions(
  task: Task,
  vocabSize: number,
  labels: readonly string[],
): Readonly<Record<string, unknown>> {
  return task === "sequence_classification" ? { vocabSize, labels } : { vocabSize };
}

async function labelsOf(runFile: RunFile<PartialRunConfig>, data: DataLoader): Promise<readonly string[]> {
  const labels = (await data.labels?.()) ?? [];
  if (labels.length > 1) return labels;
  const problem =
    labels.length === 0
      ? "the data has no labels"
      : `all the data has one label, ${JSON.stringify(labels[0])}`;
  throw new RunFileError([runFile.problem(["data"], `${problem}; a classifier needs two classes or more`)]);
}

/** A run file keeps saying what a component started from; loading the run does without. */
function withFrom(resolved: ResolvedSlot, slot: Slot<unknown>): ResolvedSlot {
  if ("object" in resolved || isGiven(slot) || slot.options.from === undefined) return resolved;
  return { name: resolved.name, options: { ...resolved.options, from: slot.options.from } };
}

async function createModel(
  runFile: RunFile<PartialRunConfig>,
  slot: Slot<Model>,
  registry: Registry<Model>,
  vocabSize: number,
  added: Readonly<Record<string, unknown>>,
): Promise<Model> {
  const model = await createFromSlot(runFile, ["model"], slot, registry, added);
  if (model.vocabSize >= vocabSize) return model;
  const advice = isGiven(slot)
    ? "build it for at least as many"
    : "leave the option out, and it becomes the tokenizer's";
  throw new RunFileError([
    runFile.problem(
      isGiven(slot) ? ["model"] : ["model", "vocabSize"],
      `the model reads ${model.vocabSize} ids, but the tokenizer gives ${vocabSize}; ${advice}`,
    ),
  ]);
}

async function buildSlot<Component>(
  runFile: RunFile<PartialRunConfig>,
  kind: string,
  slot: Slot<Component>,
  registry: Registry<Component>,
  added: Readonly<Record<string, unknown>>,
  restoring: boolean,
): Promise<Built<Component>> {
  const { name } = slot;
  const component = await createComponent(runFile, slot, registry, added, restoring);
  if (isGiven(slot))
    return { component, origin: { kind, name, origin: "program" }, resolved: { object: name } };
  const origin = { kind, name, origin: originLabel(registry.inspect(name).origin) };
  const completed = await completeOptions(await registry.get(name), { ...added, ...slot.options });
  return { component, origin, resolved: resolve(slot, completed, added) };
}

async function createComponent<Component>(
  runFile: RunFile<PartialRunConfig>,
  slot: Slot<Component>,
  registry: Registry<Component>,
  added: Readonly<Record<string, unknown>>,
  restoring = false,
): Promise<Component> {
  if (isGiven(slot)) return slot.object;
  return registry.create(
    slot.name,
    { ...added, ...slot.options },
    { directory: runFile.directory, restoring },
  );
}

/** What the run added (the vocabulary) follows from the other components and so does not belong in a run file. */
function resolve(
  slot: NamedComponent,
  completed: Readonly<Record<string, unknown>> | undefined,
  added: Readonly<Record<string, unknown>>,
): ResolvedSlot {
  if (completed === undefined) return { object: slot.name };
  const kept = Object.entries(completed).filter(
    ([key]) => !Object.hasOwn(added, key) || Object.hasOwn(slot.options, key),
  );
  return { name: slot.name, options: Object.fromEntries(kept) };
}

/** What a registry said, as problems of the run file. Anything else is a fault of ours and goes on as it is. */
function explain(
  runFile: RunFile<PartialRunConfig>,
  path: ConfigPath,
  slot: Slot<unknown>,
  error: unknown,
  added: Readonly<Record<string, unknown>>,
): RunFileProblem[] {
  if (!(error instanceof RegistryError)) throw error;
  const atName = { at: [...path, "name"], cause: error };
  if (!(error instanceof RegistryOptionsError))
    return [runFile.problem(path, error.message.replaceAll("\n", "\n  "), atName)];
  return error.issues.map((issue) => {
    const [option] = issue.path;
    if (
      option !== undefined &&
      Object.hasOwn(added, option) &&
      !isGiven(slot) &&
      !Object.hasOwn(slot.options, option)
    )
      return runFile.problem(
        path,
        `"${slot.name}" does not take the option \`${option}\` that ${option === "labels" ? "a run of a classifier" : "every run"} adds: ${issue.message}`,
        atName,
      );
    const unknown = issue.closest !== undefined || issue.message.startsWith("unknown option");
    return runFile.problem([...path, ...issue.path], issue.message, {
      closest: issue.closest,
      side: unknown ? "key" : "value",
      cause: error,
    });
  });
}
