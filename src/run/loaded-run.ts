import { join, resolve } from "node:path";
import type { DataLoader, Split } from "../data-loaders/index.ts";
import type { Model } from "../models/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { type Evaluation, Evaluator } from "../trainers/evaluation.ts";
import { type GenerationOptions, TextGenerator } from "../trainers/generation.ts";
import type { NamedMetric } from "../trainers/index.ts";
import { loadedWeights, type Weights } from "../trainers/weights.ts";
import { latestCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { createFromSlot } from "./components.ts";
import { errorCode } from "./file-system.ts";
import { RunFileError } from "./problems.ts";
import { applyPlugins, globalRegistries, type Registries } from "./registries.ts";
import {
  openRunDirectory,
  type RunDirectory,
  RunDirectoryError,
  readTokenizerFiles,
} from "./run-directory.ts";
import { loadRunFile, type RunFile } from "./run-file.ts";
import { UsageError } from "./usage-error.ts";

/** Sequences of one forward pass in evaluation; the results do not depend on it. */
const EVALUATION_BATCH = 16;

/**
 * Loads a trained run: its tokenizer, its model, and the weights of its last whole checkpoint. Nothing in the directory is
 * executed, its `imports` neither: it names components, and the names resolve against what this project depends on and
 * what the program has registered.
 *
 * @throws {RunDirectoryError} when the folder is no run, {CheckpointError} when it has no whole checkpoint.
 */
export async function loadRun(path: string, registries: Registries = globalRegistries): Promise<LoadedRun> {
  const directory = await openRunDirectory(path);
  const { path: checkpointPath } = await latestCheckpoint(directory.path);
  const runFile = await loadRunFile(directory.runFile);
  applyPlugins(runFile.config.plugins, registries);
  const { imports } = runFile.config;
  const tokenizer = await createFromSlot(runFile, runFile.config.tokenizer, registries.tokenizers).catch(
    explainImports(imports),
  );
  const files = await readTokenizerFiles(directory);
  if (Object.keys(files).length > 0) tokenizer.load?.(files);
  else if (tokenizer.save !== undefined)
    throw new RunDirectoryError(
      "RUN_DIRECTORY_DAMAGED",
      `${join(directory.path, "tokenizer")} is missing or empty, but the run's tokenizer keeps what it learned there. Restore the folder, or train again from ${directory.runFile}`,
    );
  const added = { vocabSize: tokenizer.vocabSize };
  const model = await createFromSlot(runFile, runFile.config.model, registries.models, added).catch(
    explainImports(imports),
  );
  const checkpoint = await readCheckpoint(join(directory.path, checkpointPath));
  return new LoadedRun({
    directory,
    runFile,
    registries,
    tokenizer,
    model,
    step: checkpoint.step,
    weights: loadedWeights(model, checkpoint.parameters),
    sequenceLength: sequenceLengthOf(checkpoint.state) ?? model.maxPositionEmbeddings,
  });
}

/** A name that nobody registered may be one that the run's own modules would have. */
function explainImports(imports: readonly string[]): (error: unknown) => never {
  return (error) => {
    const isUnknown =
      error instanceof RunFileError &&
      error.problems.some(({ cause }) => errorCode(cause) === "REGISTRY_NOT_FOUND");
    if (imports.length === 0 || !isUnknown) throw error;
    const flags = imports.map((path) => `--import ${path}`).join(" ");
    throw new UsageError(
      `${error.message}\n\nThis run imported modules of its project, which a run directory never does by itself. If you trust them, ask for them: ${flags}`,
      { cause: error },
    );
  };
}

interface Loaded {
  readonly directory: RunDirectory;
  readonly runFile: RunFile;
  readonly registries: Registries;
  readonly tokenizer: Tokenizer;
  readonly model: Model;
  readonly step: number;
  readonly weights: Weights;
  readonly sequenceLength: number;
}

export interface EvaluateOptions {
  /** Default: validation. */
  readonly split?: Split;
  /** A file, folder or glob of text to evaluate on as a whole, instead of a split of the run's data. */
  readonly data?: string;
  readonly signal?: AbortSignal;
}

/** A trained run in memory. */
export class LoadedRun {
  readonly directory: string;
  readonly tokenizer: Tokenizer;
  readonly model: Model;
  /** Updates that the weights have behind them. */
  readonly step: number;
  readonly weights: Weights;
  readonly #loaded: Loaded;
  #generator: TextGenerator | undefined;

  constructor(loaded: Loaded) {
    this.directory = loaded.directory.path;
    this.tokenizer = loaded.tokenizer;
    this.model = loaded.model;
    this.step = loaded.step;
    this.weights = loaded.weights;
    this.#loaded = loaded;
  }

  /** Continues a prompt; yields text as it is written. Equal options give equal text. */
  generate(prompt: string, options: GenerationOptions): AsyncGenerator<string> {
    this.#generator ??= new TextGenerator(this.model, this.tokenizer);
    return this.#generator.generate(prompt, this.weights, options);
  }

  /** Loss and the run's metrics over a split, or over other text. */
  async evaluate(options: EvaluateOptions = {}): Promise<Evaluation & { readonly split: Split }> {
    const { runFile, registries, sequenceLength } = this.#loaded;
    const data = await this.#dataLoader(options);
    if (options.data !== undefined && options.split !== undefined)
      throw new UsageError("Evaluate on a split of the run's data or on other data, not both.");
    const split = options.data === undefined ? (options.split ?? "validation") : "train";
    if (!data.splits.includes(split))
      throw new UsageError(`The run's data has no ${split} split; it has ${data.splits.join(", ")}.`);
    const metrics: NamedMetric[] = [];
    for (const slot of runFile.config.metrics)
      metrics.push({ name: slot.name, metric: await createFromSlot(runFile, slot, registries.metrics) });
    const evaluator = new Evaluator(this.model, metrics, {
      data,
      tokenizer: this.tokenizer,
      vocabSize: this.model.vocabSize,
      batchSize: EVALUATION_BATCH,
      sequenceLength,
      seed: runFile.config.seed,
    });
    return { split, ...(await evaluator.evaluate(split, this.weights, options.signal)) };
  }

  async #dataLoader({ data }: EvaluateOptions): Promise<DataLoader> {
    const { runFile, registries } = this.#loaded;
    if (data === undefined) return createFromSlot(runFile, runFile.config.data, registries.dataLoaders);
    return registries.dataLoaders.create("text", { path: resolve(data), validation: 0 });
  }
}

function sequenceLengthOf(state: Readonly<Record<string, unknown>>): number | undefined {
  const length = state.sequenceLength;
  return typeof length === "number" ? length : undefined;
}
