/** Evaluation and text on a device, beside the CPU. */
import { describe, expect, test } from "vitest";
import { perplexity } from "../../src/metrics/perplexity.ts";
import { tokenAccuracy } from "../../src/metrics/token-accuracy.ts";
import { topKAccuracy } from "../../src/metrics/top-k-accuracy.ts";
import { gpt2 } from "../../src/models/gpt2.ts";
import type { Model } from "../../src/models/index.ts";
import { llama } from "../../src/models/llama.ts";
import type { Device } from "../../src/runtime/index.ts";
import { Evaluator } from "../../src/trainers/evaluation.ts";
import { TextGenerator } from "../../src/trainers/generation/index.ts";
import { allocateWeights, initialize } from "../../src/trainers/weights.ts";
import { buildModel } from "../golden/hugging-face.ts";
import { memoryLoader, numberTokenizer, randomExamples } from "../trainers/fixtures.ts";
import { found } from "./devices.ts";

const size = {
  vocabSize: 20,
  hiddenSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  maxPositionEmbeddings: 20,
  initializerRange: 0.4,
};

const models: Readonly<Record<string, () => Promise<Model>>> = {
  gpt2: () => buildModel(gpt2, size),
  "llama, one key head": () => buildModel(llama, { ...size, numKeyValueHeads: 1 }),
};

function weightsOf(model: Model, device?: Device) {
  const weights = allocateWeights(model, () => true, device);
  initialize(model, weights, 3);
  return weights;
}

async function write(model: Model, useCache: boolean, device?: Device): Promise<string[]> {
  const texts = ["", ""];
  const options = { maxNewTokens: 24, temperature: 0.7, seed: 7, useCache };
  const generator = new TextGenerator(model, numberTokenizer, undefined, device);
  const pieces = generator.generateBatch(["3 1 4", "5 9 2 6 5"], weightsOf(model, device), options);
  for await (const { prompt, text } of pieces) texts[prompt] += text;
  return texts;
}

describe.each(found)("%s", (_name, device) => {
  test.each(Object.keys(models))("%s writes what it writes on the CPU, cached and not", async (name) => {
    const model = (await models[name]?.()) as Model;
    const expected = await write(model, true);
    expect(new Set(expected.join(" ").split(" ")).size).toBeGreaterThan(5);
    expect(await write(model, true, device)).toEqual(expected);
    expect(await write(model, false, device)).toEqual(expected);
  });

  test("loss and metrics of an evaluation are those of the CPU", async () => {
    const model = (await models.gpt2?.()) as Model;
    const data = memoryLoader(
      [],
      randomExamples(13, (random) => 2 + random.integer(8), 5),
    );
    const evaluate = async (on?: Device) => {
      const at = { directory: "." };
      const metrics = [
        { name: "perplexity", metric: await perplexity.create({}, at) },
        { name: "token_accuracy", metric: await tokenAccuracy.create({}, at) },
        { name: "top_k_accuracy", metric: await topKAccuracy.create({ k: 3 }, at) },
      ];
      const options = {
        data,
        tokenizer: numberTokenizer,
        vocabSize: 20,
        batchSize: 4,
        sequenceLength: 8,
        seed: 1,
      };
      return new Evaluator(model, metrics, options, 0, on).evaluate("validation", weightsOf(model, on));
    };
    const [there, here] = [await evaluate(device), await evaluate()];
    expect(there.loss).toBeCloseTo(here.loss, 5);
    expect(there.metrics.token_accuracy).toBe(here.metrics.token_accuracy);
    expect(there.metrics.top_k_accuracy).toBe(here.metrics.top_k_accuracy);
  });
});
