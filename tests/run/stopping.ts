/** Runs that are stopped in the middle, in this process: a copy of the directory is what a killed process leaves. */
import { cpSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunConfigInput } from "../../src/run/config.ts";
import { errorCode } from "../../src/run/file-system.ts";
import { type ResumeOptions, resume } from "../../src/run/resume.ts";
import { type TrainOptions, train } from "../../src/run/train.ts";
import type { RunEvent } from "../../src/trainers/index.ts";
import { corpus } from "../cli/tiny.ts";
import { type Outcome, outcome } from "../run-outcome.ts";

const folders: string[] = [];

/** A folder with a small text in it; `removeFolders` removes it. */
export async function newFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "codex-ml-resume-")));
  folders.push(folder);
  await mkdir(join(folder, "data"));
  await writeFile(join(folder, "data/corpus.txt"), corpus);
  return folder;
}

export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}

/** A run that would tell if anything were forgotten: dropout, accumulation, a schedule, evaluations, samples, several epochs. */
export function everything(folder: string, trainer: Readonly<Record<string, unknown>> = {}) {
  return {
    seed: 7,
    directory: folder,
    tokenizer: { name: "bpe", vocabSize: 300 },
    data: { name: "text", path: "data/corpus.txt", validation: 0.1 },
    model: {
      name: "gpt2",
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      hiddenSize: 16,
      maxPositionEmbeddings: 16,
      dropout: 0.1,
    },
    trainer: {
      name: "causal_lm",
      maxSteps: 24,
      batchSize: 3,
      gradientAccumulationSteps: 2,
      warmupSteps: 5,
      learningRate: 0.01,
      evalSteps: 5,
      saveSteps: 4,
      sampleSteps: 7,
      sampleTokens: 6,
      metricForBestModel: "loss",
      ...trainer,
    },
    metrics: ["perplexity", "token_accuracy"],
  } satisfies RunConfigInput;
}

/** Trains to the end; `onEvent` is waited for, and the directory may be copied meanwhile. */
export async function trained(
  config: RunConfigInput,
  out: string,
  onEvent: (event: RunEvent) => unknown = () => {},
  options: TrainOptions = {},
): Promise<Outcome> {
  for await (const event of await train(config, { out, ...options })) await onEvent(event);
  return outcome(out);
}

/**
 * What a process that is killed now leaves of a run. At once, so that what is being saved stands still; only the one operation
 * that the system has in hand may come in between, and then the copy is made again.
 */
export async function copyOf(run: string, name: string): Promise<void> {
  const copy = join(run, "..", name);
  for (let attempt = 1; ; attempt++) {
    try {
      return cpSync(run, copy, { recursive: true });
    } catch (error) {
      if (attempt === 10 || errorCode(error) !== "ENOENT") throw error;
      await rm(copy, { recursive: true, force: true });
    }
  }
}

/** Goes on to the end; gives what was told, and what came of it. */
export async function resumed(
  run: string,
  options: ResumeOptions = {},
): Promise<Outcome & { told: RunEvent[] }> {
  const told: RunEvent[] = [];
  for await (const event of await resume(run, options)) told.push(event);
  return { ...(await outcome(run)), told };
}
