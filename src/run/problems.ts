import { isAbsolute, relative } from "node:path";

/** A place in a text, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Keys from the top of the run file down to what is meant. */
export type ConfigPath = readonly (string | number)[];

/** One mistake in a run file. */
export interface RunFileProblem {
  /** As it is shown: relative to the working directory where it lies below, else absolute; or `--set`. */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly path: ConfigPath;
  /** What is wrong and what was expected, without the place. */
  readonly message: string;
  /** The name that was probably meant. */
  readonly closest?: string;
  readonly cause?: unknown;
}

/** Everything that is wrong with a run file, at once. */
export class RunFileError extends Error {
  readonly code = "RUN_FILE";
  readonly problems: readonly RunFileProblem[];
  constructor(problems: readonly RunFileProblem[]) {
    const causes = [...new Set(problems.map(({ cause }) => cause).filter((cause) => cause !== undefined))];
    super(
      problems.map(formatProblem).join("\n"),
      causes.length === 0 ? undefined : { cause: causes.length === 1 ? causes[0] : causes },
    );
    this.name = "RunFileError";
    this.problems = problems;
  }
}

/** `examples/x.yaml:4:10: model.numHidenLayers: unknown option; did you mean "numHiddenLayers"?` */
function formatProblem({ file, line, column, path, message, closest }: RunFileProblem): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  const meant = closest === undefined ? "" : `; did you mean "${closest}"?`;
  if (path.length === 0) return `${place}: ${message}${meant}`;
  // `--set trainer.maxSteps: …` reads as it was typed; a file's place is a thing of its own.
  return `${place}${file === "--set" ? " " : ": "}${formatPath(path)}: ${message}${meant}`;
}

/** `metrics[1].name` */
export function formatPath(path: ConfigPath): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join("");
}

/** How a file is shown in messages: short where it lies below the working directory. */
export function displayPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") || isAbsolute(short) ? path : short;
}
