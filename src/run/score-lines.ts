import { readUtf8 } from "../data-loaders/utf8.ts";
import { errorCode } from "./file-system.ts";
import { UsageError } from "./usage-error.ts";

/** Files that cannot be scored: the message names the file and the line. */
export class ScoreError extends Error {
  readonly code = "SCORE_INPUT";
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ScoreError";
  }
}

/** One line of a file of predictions or references. */
export interface ScoredLine {
  readonly file: string;
  /** From 1 on. */
  readonly number: number;
  /** What its JSON holds, or its text. */
  readonly value: unknown;
}

/** @throws ScoreError `a.jsonl:3: …` */
export function badLine({ file, number }: ScoredLine, message: string, options?: ErrorOptions): never {
  throw new ScoreError(`${file}:${number}: ${message}`, options);
}

/**
 * The lines of a file, one at a time: JSON values of .jsonl, .ndjson and .json, text of every other.
 *
 * @throws UsageError when there is no such file.
 * @throws ScoreError at a line that is no JSON; DataError where the bytes are no UTF-8.
 */
async function* readScoredLines(file: string): AsyncGenerator<ScoredLine> {
  const isJson = /\.(jsonl|ndjson|json)$/i.test(file);
  let number = 0;
  try {
    for await (const text of textLines(file)) {
      number++;
      const line = { file, number, value: text };
      yield isJson ? { ...line, value: parse(line) } : line;
    }
  } catch (cause) {
    const why = { ENOENT: "there is no such file", EISDIR: "it is a folder", EACCES: "it may not be read" };
    const said = why[errorCode(cause) as keyof typeof why];
    if (said === undefined) throw cause;
    throw new UsageError(`Cannot read ${file}: ${said}.`, { cause });
  }
}

async function* textLines(file: string): AsyncGenerator<string> {
  let rest = "";
  for await (const text of readUtf8(file)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield withoutReturn(line);
  }
  // What follows the last line break is a line only if there is something.
  if (rest !== "") yield withoutReturn(rest);
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function parse(line: ScoredLine & { readonly value: string }): unknown {
  if (line.value.trim() === "") badLine(line, "the line is empty; expected one JSON value a line");
  try {
    return JSON.parse(line.value);
  } catch (cause) {
    const hint =
      line.number === 1 && /^[[{]\s*$/.test(line.value)
        ? ". It looks like one JSON value over several lines: write one value a line (`jq -c '.[]'`)"
        : "";
    return badLine(line, `${cause instanceof Error ? cause.message : String(cause)}${hint}`, { cause });
  }
}

/** A prediction and what it is compared with. */
export interface ScoredPair {
  readonly prediction: ScoredLine;
  /** Absent where there is no file of references. */
  readonly reference?: ScoredLine;
}

/**
 * The lines of two files side by side.
 *
 * @throws ScoreError when one has more lines, or there is none at all.
 */
export async function* readPairs(predictions: string, references?: string): AsyncGenerator<ScoredPair> {
  const left = readScoredLines(predictions);
  const right = references === undefined ? undefined : readScoredLines(references);
  let pairs = 0;
  try {
    for await (const prediction of left) {
      if (right === undefined) yield { prediction };
      else {
        const { value: reference, done } = await right.next();
        if (done)
          throw new ScoreError(
            `${predictions} has ${pairs + 1 + (await count(left))} lines, and ${references} has ${pairs}. Line n of one belongs to line n of the other.`,
          );
        yield { prediction, reference };
      }
      pairs++;
    }
    const more = right === undefined ? 0 : await count(right);
    if (more > 0 && pairs > 0)
      throw new ScoreError(
        `${predictions} has ${pairs} lines, and ${references} has ${pairs + more}. Line n of one belongs to line n of the other.`,
      );
    if (pairs === 0) throw new ScoreError(`${predictions} is empty: there is nothing to score.`);
  } finally {
    await left.return(undefined);
    await right?.return(undefined);
  }
}

async function count(lines: AsyncGenerator<unknown>): Promise<number> {
  let number = 0;
  while (!(await lines.next()).done) number++;
  return number;
}
