import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { metricConformance } from "codex-ml/testing";
import { build } from "./metric.js";

describe("does what every metric must", () => {
  const module = new URL("./metric.js#build", import.meta.url);
  for (const check of metricConformance(build, { module })) test(check.name, check.run);
});

test("weighs sequences alike, however long they are", () => {
  const score = build.create();
  const references = [[1, 2, 3, 4], [5]];
  assert.equal(score({ references, predictions: [[1, 2, 3, 0], [5]] }), (3 / 4 + 1) / 2);
});
