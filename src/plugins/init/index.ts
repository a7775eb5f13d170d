/** A run file for data that somebody has, which trains at once. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import type { Task } from "../../models/index.ts";
import { displayPath } from "../../run/problems.ts";
import { UsageError } from "../../run/usage-error.ts";
import { runFileSchema, runSchemaTitle } from "../run-schema.ts";
import { type DataLook, dataNearby, lookAtData } from "./look.ts";
import { likelyTask, planRun, tasks } from "./plan.ts";
import { formats, type RunFormat, runText } from "./write.ts";

export type { RunFormat } from "./write.ts";

/** What somebody asks for, as they wrote it. Paths are relative to the working directory. */
export interface InitRequest {
  /** Folder of the run file. Default: the working directory. */
  readonly directory?: string | undefined;
  readonly data?: string | undefined;
  readonly task?: string | undefined;
  /** The column of the text, and that of the class. */
  readonly text?: string | undefined;
  readonly label?: string | undefined;
  readonly format?: string | undefined;
  /** Whether files that are there may be replaced. */
  readonly force?: boolean | undefined;
}

export interface NewRunFile {
  /** Absolute paths. */
  readonly file: string;
  readonly schema: string | undefined;
  readonly look: DataLook;
  readonly task: Task;
  /** Components that are not in the schema, and why. */
  readonly problems: readonly string[];
}

/** A request of which everything is known. */
export interface InitPlan {
  readonly look: DataLook;
  readonly task: Task;
  readonly format: RunFormat;
  readonly directory: string;
  readonly force: boolean;
}

/**
 * Whether a request can be fulfilled, and what it comes to. Data that is not named is looked for. Writes nothing.
 *
 * @throws {UsageError} that says what is wrong and what to write instead.
 */
export async function planInit(request: InitRequest, cwd: string = process.cwd()): Promise<InitPlan> {
  const { force = false } = request;
  const format = oneOf("format", request.format ?? "yaml", formats);
  const directory = resolve(cwd, request.directory ?? ".");
  refuseExisting(directory, format, force);
  const seen = await lookAtData(request.data ?? (await onlyData(cwd)), cwd);
  const text = chosenColumn(seen, "text", request.text);
  const label = chosenColumn(seen, "label", request.label);
  const look: DataLook = {
    ...seen,
    ...(text !== undefined && { text }),
    ...(label !== undefined && { label }),
  };
  const task = oneOf("task", request.task ?? likelyTask(look), Object.keys(tasks) as Task[]);
  checkColumns(look, task);
  return { look, task, format, directory, force };
}

/**
 * Writes the run file and, for YAML and JSON, the schema that its editor checks it with.
 *
 * @throws {UsageError} when a file of the name is there.
 */
export async function writeInit(plan: InitPlan, cwd: string = process.cwd()): Promise<NewRunFile> {
  const { look, task, format, directory, force } = plan;
  refuseExisting(directory, format, force);
  const name = `run.${format}`;
  const file = join(directory, name);
  const path = relative(directory, resolve(cwd, look.path)).split(sep).join("/");
  const sections = planRun(look, task, path === "" ? "." : path);
  const text = runText(format, sections, {
    about: `A model that ${tasks[task]}, learned from ${look.path}.`,
    file: displayPath(file),
    schema: `./${schemaName}`,
  });
  await mkdir(directory, { recursive: true });
  await writeFile(file, text, { flag: force ? "w" : "wx" });
  if (format === "ts") return { file, schema: undefined, look, task, problems: [] };
  const schema = join(directory, schemaName);
  const { schema: described, problems } = await runFileSchema();
  await writeFile(schema, `${JSON.stringify(described, undefined, 2)}\n`);
  return { file, schema, look, task, problems };
}

const schemaName = "run.schema.json";

/** A schema that was written before is written anew: it says what there is now. Anything else stays. */
function refuseExisting(directory: string, format: RunFormat, force: boolean): void {
  if (force) return;
  const schema = join(directory, schemaName);
  for (const file of [join(directory, `run.${format}`), ...(format === "ts" ? [] : [schema])]) {
    if (!existsSync(file) || (file === schema && readFileSync(file, "utf8").includes(runSchemaTitle)))
      continue;
    throw new UsageError(
      `${displayPath(file)} is there already. --force replaces it; codex-ml init DIR writes to another folder.`,
    );
  }
}

async function onlyData(cwd: string): Promise<string> {
  const [first, second] = await dataNearby(cwd);
  if (first === undefined)
    throw new UsageError("No data was found here. Say where it is: codex-ml init --data book.txt");
  if (second !== undefined)
    throw new UsageError(`Which data is meant: ${(await dataNearby(cwd)).join(", ")}? Say it with --data.`);
  return first;
}

function chosenColumn(
  look: DataLook,
  role: "text" | "label",
  wished: string | undefined,
): string | undefined {
  if (wished === undefined) return look[role];
  if (look.columns?.includes(wished)) return wished;
  const has = look.columns === undefined ? "no columns" : `the columns ${look.columns.join(", ")}`;
  throw new UsageError(`${look.path} has ${has}; --${role} names none of them: "${wished}".`);
}

function checkColumns({ path, columns, text, label }: DataLook, task: Task): void {
  if (columns !== undefined && text === undefined)
    throw new UsageError(`Which column of ${path} is the text? Say it with --text: ${columns.join(", ")}.`);
  if (task !== "sequence_classification" || label !== undefined) return;
  throw new UsageError(
    columns === undefined
      ? `A classifier needs the class of each text, and ${path} has none: give JSON Lines, CSV or Parquet.`
      : `Which column of ${path} is the class? Say it with --label: ${columns.filter((column) => column !== text).join(", ")}.`,
  );
}

function oneOf<Choice extends string>(what: string, given: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === given.trim().toLowerCase().replaceAll("-", "_"));
  if (found !== undefined) return found;
  throw new UsageError(`There is no ${what} "${given}"; expected ${choices.join(", ")}.`);
}
