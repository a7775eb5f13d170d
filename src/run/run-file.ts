import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import { closestNames } from "../registry/index.ts";
import { checkConfig } from "./check-config.ts";
import type { RunConfig, RunConfigInput } from "./config.ts";
import { errorCode } from "./file-system.ts";
import { type AppliedOverride, existingDepth, parseOverride, setAt } from "./overrides.ts";
import {
  type ConfigPath,
  displayPath,
  type Position,
  RunFileError,
  type RunFileProblem,
} from "./problems.ts";
import { parseYaml } from "./yaml-source.ts";

/** A run file that was read, checked at its top level, and still knows where each thing stands. */
export interface RunFile {
  /** Absolute; undefined when a program gave the run instead of a file. */
  readonly path: string | undefined;
  /** Absolute path of the folder that relative paths in the options refer to. */
  readonly directory: string;
  readonly config: RunConfig;
  /** Where the value at `path` (or its key) stands; undefined in TypeScript, from a program, and for what `--set` gave. */
  locate(path: ConfigPath, side?: "key" | "value"): Position | undefined;
  /** A problem with the place of `at` (by default: of `path`) filled in. */
  problem(path: ConfigPath, message: string, details?: ProblemDetails): RunFileProblem;
  /** Mistakes at the top level. {@link loadRunFile} throws them; `buildComponents` adds those of the components. */
  readonly problems: readonly RunFileProblem[];
  /** @internal What {@link applyOverrides} goes on from. */
  readonly written: Written;
}

export interface ProblemDetails {
  readonly closest?: string | undefined;
  readonly cause?: unknown;
  /** What to point at, where that is not `path` itself. */
  readonly at?: ConfigPath;
  readonly side?: "key" | "value";
}

/** What was written, where, and which parts of it were overridden. */
interface Written {
  readonly value: unknown;
  readonly path: string | undefined;
  /** The file's name in messages. */
  readonly label: string;
  /** The folder of the file, or the working directory. */
  readonly folder: string;
  readonly locate: ((path: ConfigPath, side: "key" | "value") => Position) | undefined;
  readonly overrides: readonly AppliedOverride[];
}

export interface LoadOptions {
  /** Overrides as they are typed: `trainer.maxSteps=10`. */
  readonly set?: readonly string[];
  /** Replaces whole top-level values: how a program that resumes a run puts its own objects back into their slots. */
  readonly replace?: Partial<RunConfigInput>;
}

const textExtensions = [".yaml", ".yml", ".json"];
const moduleExtensions = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"];

/**
 * Reads a run file in YAML, JSON, TypeScript or JavaScript, and checks its top level.
 *
 * @throws {RunFileError} with every mistake at once, each with file, line and column.
 */
export async function loadRunFile(path: string, options: LoadOptions = {}): Promise<RunFile> {
  return sound(await readRunFile(path, options));
}

/**
 * Like {@link loadRunFile}, but gives a run whose top level has mistakes too, as long as its components can be looked at:
 * whoever builds them can then report all mistakes together.
 *
 * @throws {RunFileError} when the file cannot be read as a run at all.
 */
export async function readRunFile(path: string, options: LoadOptions = {}): Promise<RunFile> {
  const absolute = resolve(path);
  const extension = extname(absolute).toLowerCase();
  let written: Written;
  if (textExtensions.includes(extension)) written = await readText(absolute);
  else if (moduleExtensions.includes(extension)) written = await readModule(absolute);
  else throw failure(absolute, `a run file ends in ${[...textExtensions, ...moduleExtensions].join(", ")}`);
  if (options.replace !== undefined) written = replaceTop(written, options.replace);
  return overridden(written, options.set ?? []);
}

/**
 * A run that a program gives as an object; the same checks as for a file.
 *
 * @param directory What relative paths refer to. Default: the working directory.
 */
export function runFileFrom(config: RunConfigInput, directory: string = process.cwd()): RunFile {
  const folder = resolve(directory);
  return sound(
    check({ value: config, path: undefined, label: "run", folder, locate: undefined, overrides: [] }),
  );
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

function sound(runFile: RunFile): RunFile {
  if (runFile.problems.length > 0) throw new RunFileError(runFile.problems);
  return runFile;
}

function overridden(written: Written, assignments: readonly string[]): RunFile {
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
  if (problems.length > 0) throw new RunFileError(problems);
  return check({ ...written, value, overrides });
}

function check(written: Written): RunFile {
  const problems: RunFileProblem[] = [];
  const config = checkConfig(written.value, (path, message, details) => {
    problems.push(problemAt(written, path, message, details));
  });
  if (config === undefined) throw new RunFileError(problems);
  return {
    path: written.path,
    directory: resolve(written.folder, config.directory ?? "."),
    config,
    locate: (path, side = "value") =>
      overrideOf(written, path) === undefined ? written.locate?.(path, side) : undefined,
    problem: (path, message, details) => problemAt(written, path, message, details),
    problems,
    written,
  };
}

function problemAt(
  written: Written,
  path: ConfigPath,
  message: string,
  details: ProblemDetails = {},
): RunFileProblem {
  const { closest, cause, at = path, side = "value" } = details;
  const from = overrideOf(written, at);
  return {
    file: from === undefined ? written.label : "--set",
    ...(from === undefined ? written.locate?.(at, side) : undefined),
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

async function readText(path: string): Promise<Written> {
  const bytes = await read(path);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw failure(path, "is not text in UTF-8; save it in that encoding", cause);
  }
  const source = parseYaml(text);
  const label = displayPath(path);
  if (source.problems.length > 0)
    throw new RunFileError(source.problems.map((problem) => ({ ...problem, file: label, path: [] })));
  return { value: source.value, path, label, folder: dirname(path), locate: source.locate, overrides: [] };
}

async function readModule(path: string): Promise<Written> {
  // Asked first, so that a missing file is told apart from a missing import of it.
  await read(path);
  const { createJiti } = await import("jiti");
  let module: unknown;
  try {
    // No caches: a file that was edited between two runs of one process must be read again.
    module = await createJiti(path, { moduleCache: false, fsCache: false }).import(path);
  } catch (cause) {
    throw failure(path, `cannot be run: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  if (typeof module !== "object" || module === null || !("default" in module) || module.default === undefined)
    throw failure(path, "has no default export; write `export default defineRun({ … })`");
  return {
    value: module.default,
    path,
    label: displayPath(path),
    folder: dirname(path),
    locate: undefined,
    overrides: [],
  };
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    switch (errorCode(cause)) {
      case "ENOENT":
        throw new RunFileError([
          {
            file: displayPath(path),
            path: [],
            message: "there is no such file",
            ...(await neighbour(path)),
            cause,
          },
        ]);
      case "EISDIR":
        throw failure(path, "is a folder, not a run file", cause);
      case "EACCES":
        throw failure(path, "cannot be read: no permission", cause);
      default:
        throw failure(
          path,
          `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
          cause,
        );
    }
  }
}

/** The run file beside `path` whose name is nearly the same. */
async function neighbour(path: string): Promise<{ readonly closest?: string }> {
  const names = await readdir(dirname(path)).catch(() => []);
  const runFiles = names.filter((name) => [...textExtensions, ...moduleExtensions].includes(extname(name)));
  const [closest] = closestNames(basename(path), runFiles);
  return closest === undefined ? {} : { closest };
}

function failure(path: string, message: string, cause?: unknown): RunFileError {
  return new RunFileError([
    { file: displayPath(path), path: [], message, ...(cause === undefined ? {} : { cause }) },
  ]);
}

function replaceTop(written: Written, replacements: Partial<RunConfigInput>): Written {
  if (typeof written.value !== "object" || written.value === null) return written;
  return { ...written, value: { ...written.value, ...replacements } };
}
