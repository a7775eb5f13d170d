import { join, resolve } from "node:path";
import type { Model } from "../models/index.ts";
import type { HostTensor } from "../runtime/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { isGiven, type NamedComponent, type Slot } from "./config.ts";
import { type ConfigPath, displayPath } from "./problems.ts";
import { openRunDirectory, readTokenizerFiles } from "./run-directory.ts";
import { loadRunFile, type ValueSource } from "./run-file.ts";
import { UsageError } from "./usage-error.ts";

/** A finished run that another one starts from: `from: <run-dir>` in a slot of its run file. */
export interface StartingPoint {
  /** As messages show it. */
  readonly shown: string;
  /** The slot with the options of the run that it starts from, those of its own before them, and without `from`. */
  readonly slot: NamedComponent;
  /** Where the other run has its options from. */
  source(path: ConfigPath): ValueSource | undefined;
  tokenizerFiles(): Promise<Readonly<Record<string, string>>>;
  parameters(): Promise<ReadonlyMap<string, HostTensor>>;
}

/**
 * Opens what a slot starts from; undefined when it starts from nothing. Nothing in the directory is executed.
 *
 * @param directory What a relative path refers to.
 * @throws {RunDirectoryError} or {UsageError} when that is no run, or one of another component.
 */
export async function startingPoint(
  key: "tokenizer" | "model",
  slot: Slot<unknown>,
  directory: string,
): Promise<StartingPoint | undefined> {
  if (isGiven(slot) || slot.options.from === undefined) return undefined;
  const { from, ...own } = slot.options;
  if (typeof from !== "string" || from === "") throw new UsageError("`from` is the path of a run directory");
  const run = await openRunDirectory(resolve(directory, from));
  const shown = displayPath(run.path);
  const { config, source: sourceOf } = await loadRunFile(run.runFile, { followExtends: false });
  const source: Slot<unknown> = config[key];
  if (isGiven(source) || source.name !== slot.name)
    throw new UsageError(`the ${key} of ${shown} is "${source.name}", not "${slot.name}"`);
  const { from: _, ...theirs } = source.options;
  return {
    shown,
    slot: { name: slot.name, options: { ...theirs, ...own } },
    source: sourceOf,
    tokenizerFiles: () => readTokenizerFiles(run),
    parameters: async () => {
      // What reads weights brings the engine along, which nobody needs who only checks a run file.
      const { chosenCheckpoint, readCheckpoint } = await import("./checkpoint.ts");
      const chosen = await chosenCheckpoint(run.path);
      return (await readCheckpoint(join(run.path, chosen.path))).parameters;
    },
  };
}

/** A slot as its component is built: without what the run itself reads. */
export function withoutFrom<Component>(slot: Slot<Component>): Slot<Component> {
  if (isGiven(slot) || slot.options.from === undefined) return slot;
  const { from: _, ...options } = slot.options;
  return { name: slot.name, options };
}

/**
 * Gives a model's parameters the values of a checkpoint as their first ones, by name. Those that it does not have keep
 * their own: a new head, for example.
 *
 * @returns What happened, in a sentence.
 * @throws {UsageError} when no name is in both, or one has another shape.
 */
export function startParameters(
  model: Model,
  tensors: ReadonlyMap<string, HostTensor>,
  shown: string,
): string {
  const fresh: string[] = [];
  for (const parameter of model.parameters()) {
    const tensor = tensors.get(parameter.name);
    if (tensor === undefined) {
      fresh.push(parameter.name);
      continue;
    }
    if (tensor.shape.join() !== parameter.dims.join())
      throw new UsageError(
        `the parameter "${parameter.name}" is (${parameter.dims.join(", ")}), and (${tensor.shape.join(", ")}) in ${shown}: give the model the same sizes, or leave them out`,
      );
    parameter.initialize = (values) => values.set(tensor.data as Float32Array);
  }
  const names = new Set(model.parameters().map(({ name }) => name));
  const unused = [...tensors.keys()].filter((name) => !names.has(name));
  const taken = names.size - fresh.length;
  if (taken === 0) throw new UsageError(`no parameter of the model has its name in ${shown}`);
  const list = (what: string, some: readonly string[]) =>
    some.length === 0
      ? []
      : [`${what}: ${some.slice(0, 4).join(", ")}${some.length > 4 ? ` and ${some.length - 4} more` : ""}`];
  const rest = [...list("new", fresh), ...list("not used", unused)].join("; ");
  return `${taken} of ${names.size} parameters start from ${shown}${rest === "" ? "" : ` (${rest})`}`;
}

/** Whether two tokenizers give the same ids, as far as what they save tells. */
export function sameTokenizer(tokenizer: Tokenizer, files: Readonly<Record<string, string>>): boolean {
  const own = tokenizer.save?.() ?? {};
  const names = new Set([...Object.keys(own), ...Object.keys(files)]);
  return [...names].every((name) => own[name] === files[name]);
}
