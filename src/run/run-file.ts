import { resolve } from "node:path";
import { asSpelled, checkConfig, isRecord, spelledKeys } from "./check-config.ts";
import type { ExtendingRunInput, PartialRunConfig, RunConfig, RunConfigInput } from "./config.ts";
import { withBases } from "./extends.ts";
import { type Layer, type Merged, ownerOf } from "./layers.ts";
import { type AppliedOverride, existingDepth, isSlot, parseOverride, setAt } from "./overrides.ts";
import { type ConfigPath, type Position, RunFileError, type RunFileProblem } from "./problems.ts";
import { readLayer } from "./read-layer.ts";

/** A run file that was read, checked at its top level, and still knows where each thing stands. */
export interface RunFile<Config = RunConfig> {
  /** Absolute; undefined when a program gave the run instead of a file. */
  readonly path: string | undefined;
  /** Absolute path of the folder that relative paths in the options refer to. */
  readonly directory: string;
  readonly config: Config;
  /** Where the value at `path` (or its key) stands; undefined in TypeScript, from a program, and for what `--set` gave. */
  locate(path: ConfigPath, side?: "key" | "value"): Position | undefined;
  /** What gave the value at `path`: undefined when nothing did, and a default holds. */
  source(path: ConfigPath): ValueSource | undefined;
  /** A problem with the place of `at` (by default: of `path`) filled in. */
  problem(path: ConfigPath, message: string, details?: ProblemDetails): RunFileProblem;
  /** Mistakes at the top level. {@link loadRunFile} throws them; `buildComponents` adds those of the components. */
  readonly problems: readonly RunFileProblem[];
  /** @internal What {@link applyOverrides} goes on from. */
  readonly written: Written;
}

/** Where a value of a run was written. */
export interface ValueSource extends Partial<Position> {
  /** The file's name in messages, or `--set`. */
  readonly file: string;
}

export interface ProblemDetails {
  readonly closest?: string | undefined;
  readonly cause?: unknown;
  /** What to point at, where that is not `path` itself. */
  readonly at?: ConfigPath;
  readonly side?: "key" | "value";
}

/** What was written, where, and which parts of it were overridden. */
interface Written extends Merged {
  readonly overrides: readonly AppliedOverride[];
}

export interface LoadOptions {
  /** Overrides as they are typed: `trainer.maxSteps=10`. */
  readonly set?: readonly string[];
  /** Replaces whole top-level values: how a program that resumes a run puts its own objects back into their slots. */
  readonly replace?: Partial<RunConfigInput>;
  /** Whether the file may extend others; that of a run directory never does, and must not lead to code. Default true. */
  readonly followExtends?: boolean;
}

/**
 * Reads a run file in YAML, JSON, TypeScript or JavaScript, and checks its top level.
 *
 * @throws {RunFileError} with every mistake at once, each with file, line and column.
 */
export async function loadRunFile(path: string, options: LoadOptions = {}): Promise<RunFile> {
  return sound(await readRunFile(path, options));
}

/**
 * Like {@link loadRunFile}, but gives a run whose top level has mistakes, too: whoever builds its components can then report
 * all mistakes together.
 *
 * @throws {RunFileError} when the file cannot be read as a run at all.
 */
export async function readRunFile(
  path: string,
  { set = [], replace, followExtends = true }: LoadOptions = {},
): Promise<RunFile<PartialRunConfig>> {
  const layer = await readLayer(path);
  if (!followExtends && isRecord(layer.value) && Object.hasOwn(layer.value, "extends"))
    throw new RunFileError([
      {
        file: layer.label,
        ...layer.locate?.(["extends"], "key"),
        path: ["extends"],
        message: "the file of a run directory extends no other; it is complete by itself",
      },
    ]);
  return overridden(replaceTop({ ...(await withBases(layer)), overrides: [] }, replace), set);
}

/**
 * A run that a program gives as an object, with what it extends; the same checks as for a file.
 *
 * @param directory What relative paths refer to. Default: the working directory.
 */
export async function readRun(
  config: RunConfigInput | ExtendingRunInput,
  set: readonly string[] = [],
  directory: string = process.cwd(),
): Promise<RunFile<PartialRunConfig>> {
  return overridden({ ...(await withBases(programLayer(config, directory))), overrides: [] }, set);
}

/**
 * A run that a program gives as an object, complete as it is.
 *
 * @param directory What relative paths refer to. Default: the working directory.
 */
export function runFileFrom(config: RunConfigInput, directory: string = process.cwd()): RunFile {
  const layer = programLayer(config, directory);
  return sound(check({ value: config, owner: { layer }, overrides: [] }, []));
}

function programLayer(value: unknown, directory: string): Layer {
  return { value, path: undefined, label: "run", folder: resolve(directory), locate: undefined };
}

/**
 * The run with values of its options replaced, as by `--set trainer.maxSteps=10`, and checked anew. Values are YAML:
 * numbers, `true`, text, `[a, b]`, `{ name: bpe }`.
 *
 * @throws {RunFileError} whose problems name the override.
 */
export function applyOverrides(runFile: RunFile, assignments: readonly string[]): RunFile {
  return sound(overridden(runFile.written, assignments));
}

function sound(runFile: RunFile<PartialRunConfig>): RunFile {
  if (!isSound(runFile)) throw new RunFileError(runFile.problems);
  return runFile;
}

/** Whether the top level has no mistake, and so all four components. */
export function isSound(runFile: RunFile<PartialRunConfig>): runFile is RunFile {
  return runFile.problems.length === 0;
}

function overridden(written: Written, assignments: readonly string[]): RunFile<PartialRunConfig> {
  const problems: RunFileProblem[] = [];
  let { value } = written;
  const overrides = [...written.overrides];
  for (const assignment of assignments) {
    const override = parseOverride(assignment, problems);
    if (override === undefined) continue;
    const result = setAt(value, override);
    if ("problem" in result) {
      problems.push({ file: "--set", path: override.path, message: result.problem });
      continue;
    }
    overrides.push({ ...override, created: existingDepth(value, override.path) + 1 });
    value = result.value;
  }
  return check({ ...written, value, overrides }, problems);
}

/** @param problems Those of what `--set` gave. */
function check(written: Written, problems: RunFileProblem[]): RunFile<PartialRunConfig> {
  const config = checkConfig(written.value, (path, message, details) => {
    problems.push(problemAt(written, path, message, details));
  });
  if (config === undefined) throw new RunFileError(problems);
  const spelled = spelledKeys(written.value);
  return {
    path: written.owner.layer.path,
    directory: resolve(folderOf(written), config.directory ?? "."),
    config,
    locate: (path, side = "value") =>
      overrideOf(written, path) === undefined ? ownerOf(written.owner, path).locate?.(path, side) : undefined,
    source: (path) => (isWritten(written, path) ? placeOf(written, path, "value") : undefined),
    problem: (path, message, { at = path, ...details } = {}) =>
      problemAt(written, asSpelled(path, spelled), message, { ...details, at: asSpelled(at, spelled) }),
    problems,
    written,
  };
}

/** What `directory` starts at: the folder of the file that gave it. One that a command gave starts at the run file's. */
function folderOf(written: Written): string {
  const { layer } = written.owner;
  return overrideOf(written, ["directory"]) === undefined
    ? ownerOf(written.owner, ["directory"]).folder
    : layer.folder;
}

function isWritten({ value }: Written, path: ConfigPath): boolean {
  const depth = existingDepth(value, path);
  if (depth === path.length) return true;
  // A bare name stands for `{ name }`.
  return depth === path.length - 1 && path.at(-1) === "name" && isSlot(path.slice(0, -1));
}

function placeOf(written: Written, path: ConfigPath, side: "key" | "value"): ValueSource {
  if (overrideOf(written, path) !== undefined) return { file: "--set" };
  const layer = ownerOf(written.owner, path);
  return { file: layer.label, ...layer.locate?.(path, side) };
}

function problemAt(
  written: Written,
  path: ConfigPath,
  message: string,
  details: ProblemDetails = {},
): RunFileProblem {
  const { closest, cause, at = path, side = "value" } = details;
  return {
    ...placeOf(written, at, side),
    path,
    message,
    ...(closest === undefined ? {} : { closest }),
    ...(cause === undefined ? {} : { cause }),
  };
}

/**
 * The override that gave the value at `path`, the last one winning: one of the value or of what holds it, or one inside it
 * where the file itself has nothing.
 */
function overrideOf({ overrides }: Written, path: ConfigPath): AppliedOverride | undefined {
  const agree = (set: ConfigPath): boolean =>
    set.slice(0, path.length).every((key, index) => String(key) === String(path[index]));
  return overrides.findLast(
    ({ path: set, created }) => agree(set) && (set.length <= path.length || created <= path.length),
  );
}

function replaceTop(written: Written, replacements: Partial<RunConfigInput> = {}): Written {
  if (!isRecord(written.value)) return written;
  return { ...written, value: { ...written.value, ...replacements } };
}
