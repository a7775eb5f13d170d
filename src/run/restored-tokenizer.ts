import { join, resolve } from "node:path";
import type { Tokenizer } from "../tokenizers/index.ts";
import { openTokenizer } from "../tokenizers/open.ts";
import { readTokenizerFolder } from "../tokenizers/tokenizer-folder.ts";
import { createFromSlot } from "./components.ts";
import { displayPath } from "./problems.ts";
import { applyPlugins, globalRegistries, type Registries } from "./registries.ts";
import {
  openRunDirectory,
  type RunDirectory,
  RunDirectoryError,
  readTokenizerFiles,
} from "./run-directory.ts";
import { loadRunFile, type RunFile } from "./run-file.ts";
import { withoutFrom } from "./start-from.ts";
import { UsageError } from "./usage-error.ts";

/**
 * The tokenizer of a run, as it was when the run began to train its model.
 *
 * @throws {RunDirectoryError} `RUN_DIRECTORY_DAMAGED` when what it learned is missing.
 */
export async function restoredTokenizer(
  directory: RunDirectory,
  runFile: RunFile,
  registries: Registries,
): Promise<Tokenizer> {
  const files = await readTokenizerFiles(directory);
  const isSaved = Object.keys(files).length > 0;
  const slot = withoutFrom(runFile.config.tokenizer);
  const tokenizer = await createFromSlot(runFile, ["tokenizer"], slot, registries.tokenizers, {}, isSaved);
  if (isSaved) tokenizer.load?.(files);
  else if (tokenizer.save !== undefined)
    throw new RunDirectoryError(
      "RUN_DIRECTORY_DAMAGED",
      `${join(directory.path, "tokenizer")} is missing or empty, but the run's tokenizer keeps what it learned there. Restore the folder, or train again from ${directory.runFile}`,
    );
  return tokenizer;
}

/**
 * Opens a tokenizer by itself: from a run directory, a folder with a `tokenizer.json`, or such a file.
 *
 * @throws {UsageError} when there is none at `path`.
 */
export async function openTokenizerAt(
  path: string,
  registries: Registries = globalRegistries,
): Promise<Tokenizer> {
  const run = await openRunDirectory(path).catch((error: unknown) => {
    if (error instanceof RunDirectoryError && error.code === "RUN_DIRECTORY_NONE") return undefined;
    throw error;
  });
  if (run !== undefined) {
    const runFile = await loadRunFile(run.runFile, { followExtends: false });
    applyPlugins(runFile.config.plugins, registries);
    return restoredTokenizer(run, runFile, registries);
  }
  const files = await readTokenizerFolder(resolve(path));
  if (files === undefined)
    throw new UsageError(
      `there is no tokenizer at ${displayPath(resolve(path))}: expected a run directory, a folder with a tokenizer.json, or a tokenizer.json. \`codex-ml tokenizer train\` makes one`,
    );
  return openTokenizer(files);
}
