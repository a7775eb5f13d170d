import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { disk, errorCode, remedy, writeDurably } from "./file-system.ts";
import { makeFolder } from "./make-folder.ts";
import { parseOverride, setAt } from "./overrides.ts";
import { displayPath, type RunFileProblem } from "./problems.ts";
import { globalRegistries, type Registries } from "./registries.ts";
import { UsageError } from "./usage-error.ts";

export interface TokenizerTraining {
  /** Name of the tokenizer, as run files have it. */
  readonly name: string;
  /** Files, folders or globs of UTF-8 text. */
  readonly data: readonly string[];
  /** Folder to write to; must be empty or not exist. */
  readonly out: string;
  /** Options as `key=value`. */
  readonly set?: readonly string[];
}

/** A tokenizer that was trained by itself. */
export interface TrainedTokenizer {
  readonly name: string;
  readonly directory: string;
  readonly files: readonly string[];
  readonly vocabSize: number;
  /** UTF-8 bytes of the text that it learned from. */
  readonly bytes: number;
  readonly seconds: number;
  /** What it says of what it learned: how much of the corpus it left out. */
  readonly notes: readonly string[];
}

/**
 * Trains a tokenizer on text, without a model, and writes its files to a folder.
 *
 * @throws {UsageError}, or a `RegistryError`, before any work when something is asked that cannot be.
 */
export async function trainTokenizer(
  { name, data, out, set = [] }: TokenizerTraining,
  registries: Registries = globalRegistries,
): Promise<TrainedTokenizer> {
  const directory = resolve(out);
  await checkEmpty(directory);
  const tokenizer = await registries.tokenizers.create(name, optionsOf(set));
  const { train, save } = tokenizer;
  if (train === undefined || save === undefined)
    throw new UsageError(
      `the tokenizer "${name}" learns nothing: there is nothing to train. Run files take it as it is`,
    );
  const loader = await registries.dataLoaders.create("text", { path: [...data], validation: 0 });
  const started = performance.now();
  let bytes = 0;
  const texts = loader.texts?.("train");
  if (texts === undefined)
    throw new UsageError("the data loader `text` of this project gives no text to learn from");
  await train.call(
    tokenizer,
    (async function* () {
      for await (const text of texts) {
        bytes += Buffer.byteLength(text);
        yield text;
      }
    })(),
  );
  const seconds = (performance.now() - started) / 1000;
  const files = Object.entries(save.call(tokenizer));
  // Names come from a plugin, and are looked at before the first is written.
  for (const [file] of files)
    if (file !== basename(file) || ["", ".", ".."].includes(file))
      throw new UsageError(
        `the tokenizer's \`save\` gave a file called ${JSON.stringify(file)}; expected a plain name`,
      );
  try {
    await makeFolder(directory);
    for (const [file, text] of files) await writeDurably(disk, join(directory, file), [Buffer.from(text)]);
    await disk.syncFolder(directory);
  } catch (cause) {
    throw new UsageError(`cannot write to ${displayPath(directory)}: ${remedy(cause)}`, { cause });
  }
  return {
    name,
    directory,
    files: files.map(([file]) => file),
    vocabSize: tokenizer.vocabSize,
    bytes,
    seconds,
    notes: tokenizer.notes?.() ?? [],
  };
}

async function checkEmpty(directory: string): Promise<void> {
  const there = await readdir(directory).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    throw new UsageError(`cannot write to ${displayPath(directory)}: ${remedy(error)}`, { cause: error });
  });
  if (there.length > 0)
    throw new UsageError(
      `${displayPath(directory)} is not empty; give a folder that is, or that does not exist`,
    );
}

function optionsOf(assignments: readonly string[]): Readonly<Record<string, unknown>> {
  let options: unknown = {};
  const problems: RunFileProblem[] = [];
  for (const assignment of assignments) {
    const override = parseOverride(assignment, problems);
    if (override === undefined) continue;
    const result = setAt(options, override);
    if ("value" in result) options = result.value;
    else problems.push({ file: "--set", path: override.path, message: result.problem });
  }
  if (problems.length > 0)
    throw new UsageError(
      problems.map(({ path, message }) => `--set ${path.join(".")}: ${message}`).join("\n"),
    );
  return options as Readonly<Record<string, unknown>>;
}
