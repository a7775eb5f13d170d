import type { Registry } from "../registry/index.ts";
import { isRecord, type TopLevelKey, topLevel } from "./check-config.ts";
import { type CheckedRun, type CheckOptions, checkRun } from "./check-run.ts";
import type { StartedFrom } from "./components.ts";
import type { ConfigPath } from "./problems.ts";
import { globalRegistries, type Registries } from "./registries.ts";
import type { ResolvedSlot } from "./resolved.ts";
import type { ValueSource } from "./run-file.ts";

/** Where a value of a run comes from. */
export type Provenance =
  | { readonly from: "set" }
  /** `file` is the run file, or one that it extends. */
  | { readonly from: "file"; readonly file: string; readonly line?: number; readonly column?: number }
  /** The run that a component starts from: `file` is its `run.yaml`. */
  | { readonly from: "run"; readonly file: string; readonly line?: number; readonly column?: number }
  | { readonly from: "environment"; readonly variable: string }
  | { readonly from: "package.json"; readonly file: string }
  /** What follows from other components: a model's vocabulary. */
  | { readonly from: "component"; readonly component: string }
  /** `of` is a component, as in `models/gpt2`, or `run files`. */
  | { readonly from: "default"; readonly of: string };

export interface ExplainedValue {
  readonly path: ConfigPath;
  /** Undefined when it is not known before the data is read. */
  readonly value: unknown;
  readonly source: Provenance;
}

/** A run with everything that it leaves to others filled in. */
export interface Explanation {
  readonly values: readonly ExplainedValue[];
  /** Variables of the environment that are set and decide something about how a run is computed. */
  readonly environment: readonly {
    readonly variable: string;
    readonly value: string;
    readonly decides: string;
  }[];
}

const variables: Readonly<Record<string, string>> = {
  CODEX_ML_PLUGINS: "whether packages bring components",
  CODEX_ML_THREADS: "how many threads compute",
  CODEX_ML_SPIN: "whether idle threads wait awake",
  CODEX_ML_IMPORT_TIMEOUT: "how long the import of a component may take",
};

/**
 * The whole configuration of a run, each value with where it comes from. Checks the run file on the way.
 *
 * @throws {RunFileError} with every mistake at once: of what is wrong nobody can say what holds.
 */
export async function explainRun(path: string, options: CheckOptions = {}): Promise<Explanation> {
  const checked = await checkRun(path, options);
  const registries = options.registries ?? globalRegistries;
  return {
    values: (Object.entries(topLevel) as [string, TopLevelKey<unknown>][]).flatMap(([key, { component }]) =>
      component === undefined
        ? topLevelValue(checked, key, registries)
        : componentValues(checked, key, registries[component]),
    ),
    environment: Object.entries(variables).flatMap(([variable, decides]) => {
      const value = process.env[variable];
      return value === undefined || value === "" ? [] : [{ variable, value, decides }];
    }),
  };
}

function topLevelValue({ runFile }: CheckedRun, key: string, registries: Registries): ExplainedValue[] {
  const path = [key];
  const source = runFile.source(path);
  if (key === "plugins" && source === undefined) return [pluginsOfTheProject(registries)];
  const value = key === "directory" ? (runFile.config.directory ?? ".") : Reflect.get(runFile.config, key);
  return [{ path, value, source: written(source) ?? { from: "default", of: "run files" } }];
}

/** Which packages take part, where the run itself does not say. */
function pluginsOfTheProject({ metrics }: Registries): ExplainedValue {
  const path = ["plugins"];
  const { off, packages, root } = metrics.discovery.found;
  const project = packages.find(({ directory }) => directory === root);
  if (off?.includes("CODEX_ML_PLUGINS"))
    return { path, value: false, source: { from: "environment", variable: "CODEX_ML_PLUGINS" } };
  const setting = off === undefined ? project?.plugins : false;
  if (setting !== undefined && setting !== "auto")
    return {
      path,
      value: setting,
      source: { from: "package.json", file: project?.location ?? "package.json" },
    };
  return { path, value: "auto", source: { from: "default", of: "run files" } };
}

function componentValues(
  { runFile, components }: CheckedRun,
  key: string,
  registry: Registry<unknown>,
): ExplainedValue[] {
  const { resolved, startedFrom } = components;
  if (key === "metrics") {
    const source = written(runFile.source(["metrics"])) ?? { from: "default", of: "run files" };
    if (resolved.metrics.length === 0) return [{ path: ["metrics"], value: [], source }];
    return resolved.metrics.flatMap((slot, index) =>
      slotValues(
        ["metrics", index],
        slot,
        registry,
        (path) => written(runFile.source(path)) ?? (path.at(-1) === "name" ? source : undefined),
      ),
    );
  }
  const slot = resolved[key as Exclude<keyof typeof resolved, "metrics">];
  const start = key === "tokenizer" || key === "model" ? startedFrom[key] : undefined;
  const values = slotValues(
    [key],
    slot,
    registry,
    (path) => written(runFile.source(path)) ?? inStart(start, path),
  );
  const isKnown = values.some(({ path }) => path.join(".") === "model.vocabSize");
  if (key !== "model" || "object" in slot || isKnown) return values;
  // A tokenizer that learns has its vocabulary only then.
  const vocabSize = components.tokenizer.train === undefined ? components.tokenizer.vocabSize : undefined;
  const { tokenizer } = resolved;
  const component = "object" in tokenizer ? tokenizer.object : tokenizer.name;
  const [name, ...rest] = values;
  const vocabulary: ExplainedValue = {
    path: ["model", "vocabSize"],
    value: vocabSize,
    source: { from: "component", component: `tokenizers/${component}` },
  };
  return name === undefined ? [vocabulary] : [name, vocabulary, ...rest];
}

function inStart(start: StartedFrom | undefined, path: ConfigPath): Provenance | undefined {
  const source = start?.source(path);
  return source === undefined ? undefined : { ...source, from: "run" };
}

function slotValues(
  path: ConfigPath,
  slot: ResolvedSlot,
  registry: Registry<unknown>,
  sourceOf: (path: ConfigPath) => Provenance | undefined,
): ExplainedValue[] {
  if ("object" in slot)
    return [{ path, value: slot.object, source: sourceOf(path) ?? { from: "default", of: "run files" } }];
  const of = `${registry.kind.kind}/${slot.name}`;
  const name = {
    path: [...path, "name"],
    value: slot.name,
    source: sourceOf([...path, "name"]) ?? { from: "default" as const, of: "run files" },
  };
  const options = Object.entries(slot.options).flatMap(([option, value]) =>
    leaves([...path, option], value, of, sourceOf),
  );
  return [name, ...options];
}

/** A value, or, where its parts come from several places, each of them. */
function leaves(
  path: ConfigPath,
  value: unknown,
  of: string,
  sourceOf: (path: ConfigPath) => Provenance | undefined,
): ExplainedValue[] {
  if (value === undefined) return [];
  const whole: ExplainedValue = { path, value, source: sourceOf(path) ?? { from: "default", of } };
  if (!isRecord(value) || Object.keys(value).length === 0) return [whole];
  const parts = Object.entries(value).flatMap(([key, part]) => leaves([...path, key], part, of, sourceOf));
  const isWritten = parts.some(({ source }) => source.from !== "default");
  return isWritten ? parts : [whole];
}

function written(source: ValueSource | undefined): Provenance | undefined {
  if (source === undefined) return undefined;
  return source.file === "--set" ? { from: "set" } : { from: "file", ...source };
}
