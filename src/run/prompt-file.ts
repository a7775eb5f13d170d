import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { isRecord } from "./check-config.ts";
import { errorCode } from "./file-system.ts";
import { UsageError } from "./usage-error.ts";

/**
 * The prompts of a file: one a line; of .jsonl and .ndjson JSON strings, or the `prompt` of objects, so that a prompt can have
 * line breaks.
 *
 * @throws UsageError when the file cannot be read, or a line holds no prompt.
 */
export async function readPrompts(file: string): Promise<string[]> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const isMissing = errorCode(cause) === "ENOENT";
    const why = isMissing ? "there is no such file" : cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot read ${file}: ${why}.`, { cause });
  });
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  if (![".jsonl", ".ndjson"].includes(extname(file).toLowerCase())) return lines;
  return lines.map((line, at) => promptOf(line, `${file}:${at + 1}`));
}

function promptOf(line: string, place: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new UsageError(`${place}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const prompt = isRecord(value) ? value.prompt : value;
  if (typeof prompt === "string") return prompt;
  throw new UsageError(`${place}: expected a string, or an object such as { "prompt": "Call me" }.`);
}
