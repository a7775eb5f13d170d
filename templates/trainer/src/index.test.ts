import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { getDataLoader, getModel, getTokenizer, getTrainer, registerTrainer } from "codex-ml/registry";
import { trainerConformance } from "codex-ml/testing";
import { build } from "./index.js";

describe("does what every trainer must", () => {
  const module = new URL("./index.js#build", import.meta.url);
  // Few updates: it is trained with a handful of times.
  const options = { maxSteps: 30, batchSize: 8, learningRate: 0.05 };
  const invalidOptions = [{ maxSteps: 0 }, { batchSize: 1.5 }, { learningRate: -1 }, { momentum: 1 }];
  for (const check of trainerConformance(build, { module, options, invalidOptions }))
    test(check.name, check.run);
});

/** Built as a run builds it: with validated options. */
registerTrainer("under_test", build);

/** The losses of a training on this package's own README. */
async function losses(options: object): Promise<number[]> {
  const trainer = await getTrainer("under_test", options);
  const tokenizer = await getTokenizer("byte");
  const { vocabSize } = tokenizer;
  const small = { numHiddenLayers: 1, numAttentionHeads: 1, hiddenSize: 8, maxPositionEmbeddings: 16 };
  const model = await getModel("gpt2", { vocabSize, ...small });
  const data = await getDataLoader("text", { path: fileURLToPath(new URL("../README.md", import.meta.url)) });
  const saveCheckpoint = async () => "not kept";
  const { signal } = new AbortController();
  const found: number[] = [];
  const context = { tokenizer, model, data, metrics: [], seed: 1, signal, saveCheckpoint };
  for await (const event of trainer.train(context)) if (event.type === "step") found.push(event.loss);
  return found;
}

test("it does maxSteps updates", async () => {
  assert.equal((await losses({ maxSteps: 3 })).length, 3);
});

test("momentum makes a difference from the second update on", async () => {
  const without = await losses({ maxSteps: 3, momentum: 0 });
  const withIt = await losses({ maxSteps: 3, momentum: 0.9 });
  // The loss of a step is that of the weights before its update.
  assert.deepEqual(withIt.slice(0, 2), without.slice(0, 2));
  assert.notEqual(withIt[2], without[2]);
});
