import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { TOKENIZER_CONFIG_JSON, TOKENIZER_JSON } from "./hf-json.ts";

/**
 * Reads a tokenizer's two files, by name: from the folder that holds `tokenizer.json`, from a run directory, or beside the
 * `tokenizer.json` that is named itself.
 *
 * @returns undefined when there is none at `path`. Whatever else hinders reading is thrown as `node:fs` throws it.
 */
export async function readTokenizerFolder(
  path: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  const found = await findTokenizerJson(path);
  if (found === undefined) return undefined;
  const config = await unlessAbsent(readFile(join(found, "..", TOKENIZER_CONFIG_JSON), "utf8"));
  return {
    [TOKENIZER_JSON]: await readFile(found, "utf8"),
    ...(config === undefined ? {} : { [TOKENIZER_CONFIG_JSON]: config }),
  };
}

async function findTokenizerJson(path: string): Promise<string | undefined> {
  const isFile = async (file: string) => (await unlessAbsent(stat(file)))?.isFile() === true;
  if (basename(path).endsWith(".json")) return (await isFile(path)) ? path : undefined;
  for (const file of [join(path, TOKENIZER_JSON), join(path, "tokenizer", TOKENIZER_JSON)])
    if (await isFile(file)) return file;
  return undefined;
}

async function unlessAbsent<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
