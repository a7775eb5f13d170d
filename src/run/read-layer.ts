import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import { closestNames } from "../registry/index.ts";
import { errorCode } from "./file-system.ts";
import type { Layer } from "./layers.ts";
import { displayPath, RunFileError, type RunFileProblem } from "./problems.ts";
import { parseYaml } from "./yaml-source.ts";

const textExtensions = [".yaml", ".yml", ".json"];
const moduleExtensions = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"];

/**
 * Reads one file of a run: YAML, JSON, TypeScript or JavaScript. What it extends is not read.
 *
 * @throws {RunFileError} when it cannot be read at all, with every mistake of its syntax at once.
 */
export async function readLayer(path: string): Promise<Layer> {
  const absolute = resolve(path);
  const extension = extname(absolute).toLowerCase();
  if (textExtensions.includes(extension)) return readText(absolute);
  if (moduleExtensions.includes(extension)) return readModule(absolute);
  throw failure(absolute, `a run file ends in ${[...textExtensions, ...moduleExtensions].join(", ")}`);
}

async function readText(path: string): Promise<Layer> {
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
  return { value: source.value, path, label, folder: dirname(path), locate: source.locate };
}

async function readModule(path: string): Promise<Layer> {
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
async function neighbour(path: string): Promise<Pick<RunFileProblem, "closest">> {
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
