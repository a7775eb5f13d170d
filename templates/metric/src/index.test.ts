import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { getMetric, registerMetric, type StreamingMetric } from "codex-ml/registry";
import { metricConformance } from "codex-ml/testing";
import { build } from "./index.js";

describe("does what every metric must", () => {
  const module = new URL("./index.js#build", import.meta.url);
  const invalidOptions = [{ skip: -1 }, { skip: 1.5 }, { skip: "4" }];
  for (const check of metricConformance(build, { module, options: { skip: 2 }, invalidOptions }))
    test(check.name, check.run);
});

/** Built as a run builds it: with validated options. */
registerMetric("under_test", build);

interface Sequence {
  readonly labels: readonly number[];
  readonly predicted: readonly number[];
}

async function measure(options: object, ...sequences: Sequence[]) {
  const metric = (await getMetric("under_test", options)) as StreamingMetric;
  for (const { labels, predicted } of sequences)
    metric.update({ labels: Int32Array.from(labels), predictedIds: Int32Array.from(predicted) });
  return metric.compute();
}

test("the first tokens of each sequence do not count", async () => {
  const one = { labels: [1, 2, 3, 4], predicted: [0, 0, 3, 0] };
  const other = { labels: [1, 2, 3], predicted: [0, 0, 3] };
  assert.equal(await measure({ skip: 2 }, one, other), 2 / 3);
});

test("four tokens are skipped when the run file does not say", async () => {
  assert.equal(await measure({}, { labels: [1, 2, 3, 4, 5], predicted: [0, 0, 0, 0, 5] }), 1);
});

test("sequences that are too short leave it undefined", async () => {
  assert.equal(await measure({ skip: 3 }, { labels: [1, 2, 3], predicted: [1, 2, 3] }), Number.NaN);
});
