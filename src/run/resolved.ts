import { relative, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Document } from "yaml";
import type { Factory } from "../registry/index.ts";
import { isRecord } from "./check-config.ts";
import { plainJsonProblem } from "./plain-json.ts";
import type { RunFile } from "./run-file.ts";

/** A component with all its options, or the mark of one that only its program can build. */
export type ResolvedSlot =
  | { readonly name: string; readonly options: Readonly<Record<string, unknown>> }
  | { readonly object: string };

/** The components of a run as `run.yaml` names them. */
export interface ResolvedSlots {
  readonly tokenizer: ResolvedSlot;
  readonly data: ResolvedSlot;
  readonly model: ResolvedSlot;
  readonly trainer: ResolvedSlot;
  readonly metrics: readonly ResolvedSlot[];
}

/**
 * The options with the defaults of the component's schema filled in; undefined when a file cannot hold them.
 *
 * A schema may transform what it reads. Its output stands in for the input only where validating it again changes
 * nothing; otherwise the options stay as they were written, which gives the same component too.
 */
export async function completeOptions<Component>(
  factory: Factory<Component>,
  options: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (plainJsonProblem(options) !== undefined) return undefined;
  if (typeof factory === "function" || factory.options === undefined) return options;
  const { validate } = factory.options["~standard"];
  const first = await validate(options);
  if (first.issues !== undefined || !isRecord(first.value) || plainJsonProblem(first.value) !== undefined)
    return options;
  const second = await validate(first.value);
  return second.issues === undefined && isDeepStrictEqual(second.value, first.value) ? first.value : options;
}

/**
 * The text of `run.yaml`: the run with every default filled in. Training from it gives the same weights; loading it and
 * resolving again gives the same text.
 *
 * @param runDirectory The folder that it will lie in; paths in options are made to work from there.
 */
export function resolvedRun(runFile: RunFile, slots: ResolvedSlots, runDirectory: string): string {
  const { seed, device, plugins, imports } = runFile.config;
  const written = {
    seed,
    device,
    directory: relativeFolder(runDirectory, runFile.directory),
    tokenizer: slotToWrite(slots.tokenizer),
    data: slotToWrite(slots.data),
    model: slotToWrite(slots.model),
    trainer: slotToWrite(slots.trainer),
    metrics: slots.metrics.map(slotToWrite),
    ...(imports.length === 0 ? {} : { imports }),
    ...(plugins.packages === undefined && plugins.pins === undefined ? {} : { plugins }),
  };
  return runYaml(written, "Training from this file again gives the same weights.");
}

/** A run as the text of a `run.yaml`. */
export function runYaml(written: unknown, remark: string): string {
  const document = new Document(written, {
    version: "1.2",
    schema: "core",
    aliasDuplicateObjects: false,
    keepUndefined: false,
  });
  document.commentBefore = ` The run with every default filled in. ${remark}\n Relative paths in options start at \`directory\`, which starts at this file.`;
  return document.toString({ lineWidth: 0 });
}

function slotToWrite(slot: ResolvedSlot): unknown {
  if ("object" in slot) return { object: slot.object };
  return Object.keys(slot.options).length === 0 ? slot.name : { name: slot.name, ...slot.options };
}

/** With `/` on every system, so that a run directory can be read on another. */
function relativeFolder(from: string, to: string): string {
  const path = relative(from, to).split(sep).join("/");
  return path === "" ? "." : path;
}
