/** Checks in a second process, which imports the build: so does this file. */

import { fileURLToPath } from "node:url";
import type { DataLoader, Factory, Metric, Model, Tokenizer, Trainer } from "codex-ml";
import {
  type ConformanceCheck,
  dataLoaderConformance,
  metricConformance,
  modelConformance,
  tokenizerConformance,
  trainerConformance,
} from "codex-ml/testing";
import { describe, expect, test } from "vitest";

const directory = fileURLToPath(new URL("../../examples", import.meta.url));
const fixture = (path: string) => new URL(`./fixtures/${path}`, import.meta.url);
const wrong = fixture("by-process.mjs");
const byProcess = (await import(wrong.href)) as {
  readonly metric: Factory<Metric>;
  readonly tokenizer: Factory<Tokenizer>;
  readonly model: Factory<Model>;
  readonly dataLoader: Factory<DataLoader>;
  readonly trainer: Factory<Trainer>;
};
const module = (name: string) => `${wrong}#${name}`;

async function messageOf(checks: readonly ConformanceCheck[], claim: string): Promise<string> {
  const found = checks.find(({ name }) => name.startsWith(claim));
  if (found === undefined) return `no check "${claim}"`;
  return found.run().then(
    () => "passed",
    (error: unknown) => String(error),
  );
}

describe("a component that differs between processes, but not within one", () => {
  const cases: readonly (readonly [string, readonly ConformanceCheck[], RegExp])[] = [
    [
      "a metric",
      metricConformance(byProcess.metric, { module: module("metric") }),
      /value is \d+ in this one, \d+ in the/,
    ],
    [
      "a tokenizer",
      tokenizerConformance(byProcess.tokenizer, { module: module("tokenizer"), lossless: false }),
      /ids\..* is \d+ in this one, \d+ in the second/,
    ],
    [
      "a model",
      modelConformance(byProcess.model, { module: module("model"), options: { hiddenSize: 8 } }),
      /config\.pid is \d+ in this one, \d+ in the second/,
    ],
    [
      "a data loader",
      dataLoaderConformance(byProcess.dataLoader, {
        module: module("dataLoader"),
        directory,
        options: { path: "*.yaml" },
      }),
      /fingerprint is "\d+ .*examples" in this one, "\d+ .*examples" in the second/,
    ],
    [
      "a trainer",
      trainerConformance(byProcess.trainer, {
        module: module("trainer"),
        options: { maxSteps: 2, sampleTokens: 0 },
      }),
      /losses\[0\] is [\d.]+ in this one, [\d.]+ in the second/,
    ],
  ];
  test.each(cases)("%s", async (_, checks, says) => {
    expect(await messageOf(checks, "two builds")).toBe("passed");
    const message = await messageOf(checks, "two processes");
    expect(message).toMatch(/^ConformanceError: Two processes must give the same/);
    expect(message).toMatch(says);
  });
});

describe("a second process that does not get that far says why", () => {
  test.each([
    ["there is no such file", fixture("missing.mjs#build"), /Cannot find module/],
    ["there is no such export", fixture("by-process.mjs#build"), /by-process\.mjs has no export "build"/],
    ["the export is no factory", wrong, /7 is no factory/],
    ["the import fails", fixture("fails-at-import.mjs"), /no licence/],
    ["the process ends", fixture("exits.mjs"), /it exited \(3\); it wrote: a native library is missing/],
  ])("%s", async (_, module, says) => {
    const message = await messageOf(
      metricConformance(() => () => 1, { module }),
      "two processes",
    );
    expect(message).toMatch(/^ConformanceError: A second process could not observe/);
    expect(message).toMatch(says);
  });
});

test("a trainer's other components cannot go to another process, and that is said at once", () => {
  const components = () => Promise.reject(new Error("not reached"));
  expect(() => trainerConformance(byProcess.trainer, { module: module("trainer"), components })).toThrow(
    /`components` cannot be sent to another process; leave out `module`/,
  );
});

test("what is no URL is refused at once", () => {
  expect(() => metricConformance(byProcess.metric, { module: "./metric.js#build" })).toThrow(
    'The module "./metric.js#build" is no URL. Expected new URL("./metric.js#build", import.meta.url).',
  );
});

test("without a module there is no such check", () => {
  expect(metricConformance(byProcess.metric).filter(({ name }) => name.includes("processes"))).toEqual([]);
});
