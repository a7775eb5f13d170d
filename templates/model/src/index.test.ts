import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { getModel, registerModel } from "codex-ml/registry";
import { modelConformance } from "codex-ml/testing";
import { build } from "./index.js";

describe("does what every model must", () => {
  const module = new URL("./index.js#build", import.meta.url);
  // Small: several checks run it.
  const options = { hiddenSize: 8, maxPositionEmbeddings: 16 };
  const invalidOptions = [{ hiddenSize: 0 }, { numHiddenLayers: 1.5 }, { vocabSize: "many" }];
  for (const check of modelConformance(build, { module, options, invalidOptions }))
    test(check.name, check.run);
});

/** Built as a run builds it: with validated options. */
registerModel("under_test", build);

async function shapesOf(options: object): Promise<Map<string, readonly number[]>> {
  const model = await getModel("under_test", { vocabSize: 10, ...options });
  return new Map(model.parameters().map(({ name, dims }) => [name, dims]));
}

test("hiddenSize is the width of every vector, and the MLP is four times as wide", async () => {
  const shapes = await shapesOf({ hiddenSize: 6, maxPositionEmbeddings: 12 });
  assert.deepEqual(shapes.get("tokens.weight"), [10, 6]);
  assert.deepEqual(shapes.get("positions.weight"), [12, 6]);
  assert.deepEqual(shapes.get("blocks.0.up.weight"), [24, 6]);
  assert.deepEqual(shapes.get("head.weight"), [10, 6]);
});

test("numHiddenLayers is the number of blocks", async () => {
  const names = [...(await shapesOf({ numHiddenLayers: 3 })).keys()];
  const blocks = new Set(names.map((name) => /^blocks\.(\d+)\./.exec(name)?.[1]).filter(Boolean));
  assert.deepEqual([...blocks], ["0", "1", "2"]);
});
