import { join, resolve } from "node:path";
import type { DataLoader, Split } from "../data-loaders/index.ts";
import type { Model } from "../models/index.ts";
import { type Device, type DeviceChoice, selectDevice } from "../runtime/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { type Evaluation, Evaluator } from "../trainers/evaluation.ts";
import {
  type BatchGenerationOptions,
  type GeneratedPiece,
  type GenerationOptions,
  TextGenerator,
} from "../trainers/generation/index.ts";
import type { NamedMetric } from "../trainers/index.ts";
import { lengthBuckets } from "../trainers/length-buckets.ts";
import { loadedWeights, type Weights } from "../trainers/weights.ts";
import { type CheckpointChoice, chosenCheckpoint, readCheckpoint, skippedWarnings } from "./checkpoint.ts";
import { createFromSlot } from "./components.ts";
import { trialOf } from "./config.ts";
import { recordsIn } from "./evaluation-data.ts";
import { errorCode } from "./file-system.ts";
import { RunFileError } from "./problems.ts";
import { applyPlugins, globalRegistries, type Registries } from "./registries.ts";
import { restoredTokenizer } from "./restored-tokenizer.ts";
import { openRunDirectory, type RunDirectory } from "./run-directory.ts";
import { loadRunFile, type RunFile } from "./run-file.ts";
import { withoutFrom } from "./start-from.ts";
import { UsageError } from "./usage-error.ts";

/** Sequences of one forward pass in evaluation; the results do not depend on it. */
const EVALUATION_BATCH = 16;

export interface LoadRunOptions {
  /** Where names are looked up. Default: the process-wide registries. */
  readonly registries?: Registries | undefined;
  /** Default `"best"`: that of the best evaluation where the run kept it, else the newest. */
  readonly checkpoint?: CheckpointChoice | undefined;
  /** Whether to take the checkpoint before, where the newest is damaged. Default false. */
  readonly fallback?: boolean | undefined;
  /** What computes, as `device` in a run file. Default `"cpu"`, whatever the run was trained on. */
  readonly device?: DeviceChoice | undefined;
}

/**
 * Loads a trained run: its tokenizer, its model, and the weights of a checkpoint: of the best evaluation
 * where the run kept one, else the newest. Nothing in the directory is
 * executed, its `imports` neither: it names components, and the names resolve against what this project depends on and
 * what the program has registered.
 *
 * @throws {RunDirectoryError} when the folder is no run, {CheckpointError} when it has no whole checkpoint, or the newest is
 *   damaged.
 */
export async function loadRun(
  path: string,
  { registries = globalRegistries, checkpoint, fallback, device: on = "cpu" }: LoadRunOptions = {},
): Promise<LoadedRun> {
  const device = selectDevice(on);
  const directory = await openRunDirectory(path);
  const chosen = await chosenCheckpoint(directory.path, checkpoint, fallback);
  const runFile = await loadRunFile(directory.runFile, { followExtends: false });
  applyPlugins(runFile.config.plugins, registries);
  const { imports } = runFile.config;
  const tokenizer = await restoredTokenizer(directory, runFile, registries).catch(explainImports(imports));
  const saved = await readCheckpoint(join(directory.path, chosen.path));
  const labels = labelsIn(saved.config);
  const added = { vocabSize: tokenizer.vocabSize, ...(labels && { labels }) };
  const modelSlot = withoutFrom(runFile.config.model);
  const model = await createFromSlot(runFile, ["model"], modelSlot, registries.models, added).catch(
    explainImports(imports),
  );
  return new LoadedRun({
    directory,
    runFile,
    registries,
    tokenizer,
    model,
    step: saved.step,
    warnings: skippedWarnings(chosen),
    weights: loadedWeights(model, saved.parameters, device),
    device,
    sequenceLength: sequenceLengthOf(saved.state) ?? model.maxPositionEmbeddings,
  });
}

/** The names of a classifier's classes, as Hugging Face's `config.json` has them. */
function labelsIn({ id2label }: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  if (typeof id2label !== "object" || id2label === null) return undefined;
  return Object.entries(id2label)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => String(name));
}

/** A name that nobody registered may be one that the run's own modules would have. */
export function explainImports(imports: readonly string[]): (error: unknown) => never {
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
  readonly warnings: readonly string[];
  readonly weights: Weights;
  readonly device: Device | undefined;
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
  /** What is not as one would expect: newer checkpoints that are damaged and were passed over. */
  readonly warnings: readonly string[];
  readonly weights: Weights;
  readonly #loaded: Loaded;
  #generator: TextGenerator | undefined;

  constructor(loaded: Loaded) {
    this.directory = loaded.directory.path;
    this.tokenizer = loaded.tokenizer;
    this.model = loaded.model;
    this.step = loaded.step;
    this.warnings = loaded.warnings;
    this.weights = loaded.weights;
    this.#loaded = loaded;
  }

  /** Continues a prompt; yields text as it is written. Equal options give equal text. */
  generate(prompt: string, options: GenerationOptions): AsyncGenerator<string> {
    return this.#texts().generate(prompt, this.weights, options);
  }

  /**
   * Continues several prompts at once; yields pieces as they are written, each with the number of its prompt. What is written
   * for a prompt does not depend on the others.
   */
  generateBatch(prompts: readonly string[], options: BatchGenerationOptions): AsyncGenerator<GeneratedPiece> {
    return this.#texts().generateBatch(prompts, this.weights, options);
  }

  #texts(): TextGenerator {
    if (this.model.task !== "causal_lm")
      throw new UsageError(
        `The run's model is for ${this.model.task}; only one for causal_lm writes text. \`evaluate\` works.`,
      );
    this.#generator ??= new TextGenerator(this.model, this.tokenizer, this.weights, this.#loaded.device);
    return this.#generator;
  }

  /** Loss and the run's metrics over a split, or over other text, with what the metrics and the data loader say of it. */
  async evaluate(
    options: EvaluateOptions = {},
  ): Promise<Evaluation & { readonly split: Split; readonly warnings?: readonly string[] }> {
    const { runFile, registries, sequenceLength } = this.#loaded;
    const explain = explainImports(runFile.config.imports);
    const data = await this.#dataLoader(options).catch(explain);
    if (options.data !== undefined && options.split !== undefined)
      throw new UsageError("Evaluate on a split of the run's data or on other data, not both.");
    const split = options.data === undefined ? (options.split ?? "validation") : "train";
    if (!data.splits.includes(split))
      throw new UsageError(`The run's data has no ${split} split; it has ${data.splits.join(", ")}.`);
    const metrics: NamedMetric[] = [];
    for (const [index, slot] of (runFile.config.metrics ?? []).entries()) {
      const metric = await createFromSlot(runFile, ["metrics", index], slot, registries.metrics).catch(
        explain,
      );
      metrics.push({ name: slot.name, metric });
    }
    const trainer = await createFromSlot(
      runFile,
      ["trainer"],
      runFile.config.trainer,
      registries.trainers,
    ).catch(explain);
    const objective = trainer.objective?.(this.model);
    if (objective === undefined && this.model.task !== "causal_lm")
      throw new UsageError(
        `The trainer "${runFile.config.trainer.name}" does not say how a model for ${this.model.task} is evaluated (it has no \`objective\`).`,
      );
    const batching = {
      data,
      tokenizer: this.tokenizer,
      vocabSize: this.model.vocabSize,
      batchSize: EVALUATION_BATCH,
      sequenceLength,
      lengths: lengthBuckets(sequenceLength),
      seed: runFile.config.seed,
      ...(objective && { objective }),
    };
    const evaluator = new Evaluator(this.model, metrics, batching, 0, this.#loaded.device);
    const evaluation = await evaluator.evaluate(split, this.weights, options.signal);
    const trial = options.data === undefined ? Object.entries(trialOf(runFile.config)) : [];
    const warnings = [
      ...this.warnings,
      ...trial.map(
        ([name, value]) => `the run was trained with ${name}: ${value}; this is the whole ${split} split`,
      ),
      ...evaluator.warnings,
      ...(data.notes?.() ?? []),
    ];
    return { split, ...evaluation, ...(warnings.length > 0 && { warnings }) };
  }

  async #dataLoader({ data }: EvaluateOptions): Promise<DataLoader> {
    const { runFile, registries } = this.#loaded;
    const slot = runFile.config.data;
    if (data === undefined) return createFromSlot(runFile, ["data"], slot, registries.dataLoaders);
    const path = resolve(data);
    if (this.model.task !== "sequence_classification")
      return registries.dataLoaders.create("text", { path, validation: 0 });
    // Labels are where the run's own data has them.
    return createFromSlot(runFile, ["data"], recordsIn(path, slot), registries.dataLoaders);
  }
}

function sequenceLengthOf(state: Readonly<Record<string, unknown>>): number | undefined {
  const length = state.sequenceLength;
  return typeof length === "number" ? length : undefined;
}
