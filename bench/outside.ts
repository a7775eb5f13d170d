import { dataLoaderRegistry } from "../src/data-loaders/index.ts";
import { modelRegistry } from "../src/models/index.ts";
import { OrtSession } from "../src/runtime/ort/session.ts";
import { tokenizerRegistry } from "../src/tokenizers/index.ts";
import { trainerRegistry } from "../src/trainers/index.ts";
import type { GptShape } from "./shapes.ts";

/** Milliseconds of a training step, and of those the ones that were spent inside ONNX Runtime's `Run`. */
export interface StepTime {
  readonly step: number;
  readonly library: number;
}

/**
 * Trains for real (the `causal_lm` trainer on a text: batches, scalars, events, checks) and measures what of a step lies
 * outside the library: everything between two step events but the time in `Run`.
 */
export async function stepTimes(shape: GptShape, text: string, steps: number): Promise<StepTime[]> {
  const context = { directory: process.cwd() };
  const data = await dataLoaderRegistry.create("text", { path: text, validation: 0 }, context);
  const tokenizer = await tokenizerRegistry.create("bpe", { vocabSize: shape.vocabulary });
  await tokenizer.train?.(data.texts("train"));
  const model = await modelRegistry.create("gpt2", {
    vocabSize: tokenizer.vocabSize,
    maxPositionEmbeddings: shape.length,
    hiddenSize: shape.width,
    numHiddenLayers: shape.layers,
    numAttentionHeads: shape.heads,
  });
  const trainer = await trainerRegistry.create("causal_lm", {
    maxSteps: steps,
    batchSize: shape.batch,
    sampleTokens: 0,
  });

  let library = 0;
  const { run, runNow } = OrtSession.prototype;
  OrtSession.prototype.run = async function (...args) {
    const started = performance.now();
    await run.apply(this, args);
    library += performance.now() - started;
  };
  OrtSession.prototype.runNow = function (...args) {
    const started = performance.now();
    runNow.apply(this, args);
    library += performance.now() - started;
  };
  const times: StepTime[] = [];
  try {
    let last = performance.now();
    const signal = new AbortController().signal;
    const saveCheckpoint = async () => "";
    for await (const event of trainer.train({
      tokenizer,
      model,
      data,
      metrics: [],
      seed: 1,
      signal,
      saveCheckpoint,
    })) {
      if (event.type !== "step") continue;
      const now = performance.now();
      times.push({ step: now - last, library });
      library = 0;
      last = now;
    }
  } finally {
    Object.assign(OrtSession.prototype, { run, runNow });
  }
  // The first steps compile kernels and warm caches.
  return times.slice(5);
}
