import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";

/** What a command works on: the argument, the file, or else what is piped in. */
export async function inputText(argument: string | undefined, file: string | undefined): Promise<string> {
  const { UsageError } = await import("../../run/usage-error.ts");
  if (argument !== undefined && file !== undefined) throw new UsageError("give a text or --file, not both");
  if (argument !== undefined) return argument;
  if (file === undefined) {
    if (process.stdin.isTTY)
      throw new UsageError("there is nothing to work on: give a text, --file, or pipe it in");
    return readAll(process.stdin);
  }
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
