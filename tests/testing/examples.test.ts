/**
 * The example packages pass the checks, as their authors would run them: the built face, the packages by their names, and
 * a second process for each.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createRegistries } from "codex-ml";
import {
  type ConformanceCheck,
  dataLoaderConformance,
  metricConformance,
  modelConformance,
  tokenizerConformance,
  trainerConformance,
} from "codex-ml/testing";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { tokenizers, models, metrics, dataLoaders, trainers } = createRegistries({ root });
const moduleOf = (path: string) => new URL(`../../examples/plugins/${path}#build`, import.meta.url);

const packages: Readonly<Record<string, readonly ConformanceCheck[]>> = {
  "codex-ml-toy-data-loader": dataLoaderConformance(await dataLoaders.get("toy_data_loader"), {
    module: moduleOf("codex-ml-toy-data-loader/index.js"),
    options: { sentences: 200 },
    otherOptions: { sentences: 201 },
    invalidOptions: [{ sentences: 9 }, { sentences: "many" }],
  }),
  "codex-ml-toy-metric": metricConformance(await metrics.get("toy_metric"), {
    module: moduleOf("codex-ml-toy-metric/metric.js"),
  }),
  "codex-ml-toy-model": modelConformance(await models.get("toy_model"), {
    module: moduleOf("codex-ml-toy-model/index.js"),
    options: { hiddenSize: 8 },
    invalidOptions: [{ hiddenSize: 0 }, { vocabSize: "many" }],
  }),
  "codex-ml-toy-tokenizer": tokenizerConformance(await tokenizers.get("toy_tokenizer"), {
    module: moduleOf("codex-ml-toy-tokenizer/index.js"),
    lossless: false,
    invalidOptions: [{ alphabet: "" }, { alphabet: "aa" }, { alphabet: 7 }],
  }),
  "codex-ml-toy-trainer": trainerConformance(await trainers.get("toy_trainer"), {
    module: moduleOf("codex-ml-toy-trainer/index.js"),
    options: { maxSteps: 30, batchSize: 8, learningRate: 0.2 },
    invalidOptions: [{ maxSteps: 0 }, { batchSize: 1.5 }, { learningRate: -1 }],
  }),
};

test("the metric's own tests, which show how, pass under node:test", () => {
  const cwd = fileURLToPath(new URL("../../examples/plugins/codex-ml-toy-metric", import.meta.url));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ["--test", "--test-reporter=tap"], {
    cwd,
    env,
    encoding: "utf8",
  });
  expect(stdout).toMatch(/# fail 0/);
  expect(stdout).toMatch(/two processes give equal values/);
  expect(status).toBe(0);
});

for (const [name, checks] of Object.entries(packages))
  describe(name, () => {
    test("is checked in a second process too", () => {
      expect(checks.filter(({ name: claim }) => claim.startsWith("two processes"))).toHaveLength(1);
    });
    for (const check of checks) test(check.name, check.run);
  });
