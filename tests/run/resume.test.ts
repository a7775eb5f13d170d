/** A run that goes on ends as the one that was never stopped: weights, optimizer state, counters and events. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { sha256 } from "../../src/run/checkpoint-files.ts";
import type { RunConfigInput } from "../../src/run/config.ts";
import type { RunEvent } from "../../src/trainers/index.ts";
import { type Outcome, outcome } from "../run-outcome.ts";
import { copyOf, everything, newFolder, removeFolders, resumed, trained } from "./stopping.ts";

afterEach(removeFolders);

/** Copies the run when a step's event comes, as SIGKILL would leave it then. */
async function killedAt(config: RunConfigInput, folder: string, steps: readonly number[]): Promise<Outcome> {
  const run = join(folder, "whole");
  return trained(config, run, async (event) => {
    if (event.type === "step" && steps.includes(event.step)) await copyOf(run, `killed-${event.step}`);
  });
}

function expectSame(actual: Outcome, expected: Outcome): void {
  const { checkpoint, digests, state, rows, checkpoints } = actual;
  expect({ checkpoint, digests, state, rows, checkpoints }).toEqual(expected);
}

const rows = Array.from({ length: 60 }, (_, at) => ({
  text: `${"word ".repeat(1 + (at % 5))}${at % 2 === 0 ? "up" : "down"} ${at}`,
  label: at % 2 === 0 ? "even" : "odd",
}));

describe("killed at any step, a run ends as if it had not been", () => {
  test("causal_lm over several epochs, with everything that has a state; before its first checkpoint, too", async () => {
    const folder = await newFolder();
    const steps = [1, 6, 9, 13, 21];
    const whole = await killedAt(everything(folder), folder, steps);
    expect((whole.state as { data: { epoch: number } }).data.epoch).toBeGreaterThan(0);
    for (const step of steps) expectSame(await resumed(join(folder, `killed-${step}`)), whole);
  });

  test.each(["sgd", "lion", "adafactor", "muon"])(
    "with the state of %s, at an odd step; passes instead of steps",
    async (name) => {
      const folder = await newFolder();
      const { maxSteps: _, ...trainer } = everything(folder, { saveSteps: 5 }).trainer;
      const optim = name === "sgd" ? { name, momentum: 0.9 } : name;
      const config = { ...everything(folder), trainer: { ...trainer, numTrainEpochs: 0.6, optim } };
      const run = join(folder, "whole");
      const whole = await trained(config, run, async (event) => {
        if (event.type === "checkpoint" && event.step === 5) await copyOf(run, "killed");
      });
      const again = await resumed(join(folder, "killed"));
      expect(again.told[0]).toMatchObject({ type: "resume", step: 5, maxSteps: expect.any(Number) });
      expectSame(again, whole);
    },
  );

  test("masked_lm over records that are shuffled and packed", async () => {
    const folder = await newFolder();
    const base = everything(folder, { name: "masked_lm", sampleTokens: undefined, sampleSteps: undefined });
    const { sampleTokens: _, sampleSteps: __, ...trainer } = base.trainer;
    const config = {
      ...base,
      tokenizer: { name: "wordpiece", vocabSize: 120 },
      data: { name: "lines", path: "data/corpus.txt", validation: 0.1, packing: true },
      model: {
        name: "bert",
        numHiddenLayers: 1,
        numAttentionHeads: 2,
        hiddenSize: 16,
        maxPositionEmbeddings: 16,
        hiddenDropoutProb: 0.1,
      },
      trainer,
      metrics: ["perplexity"],
    };
    const whole = await killedAt(config, folder, [7, 18]);
    for (const step of [7, 18]) expectSame(await resumed(join(folder, `killed-${step}`)), whole);
  });

  test("sequence_classification with groups of lengths, and early stopping that counts across the stop", async () => {
    const folder = await newFolder();
    const config: RunConfigInput = {
      seed: 3,
      directory: folder,
      tokenizer: "byte",
      data: {
        name: "memory",
        examples: rows,
        validation: 0.3,
        columns: { label: "label" },
      },
      model: { name: "embedding_bag", hiddenSize: 8 },
      trainer: {
        name: "sequence_classification",
        maxSteps: 200,
        batchSize: 4,
        learningRate: 0.3,
        sequenceLength: 24,
        groupByLength: true,
        evalSteps: 3,
        saveSteps: 4,
        metricForBestModel: "accuracy",
        earlyStoppingPatience: 4,
      },
      metrics: ["accuracy"],
    };
    const whole = await killedAt(config, folder, [6, 11]);
    expect(whole.rows.at(-1)).toMatchObject({ type: "end", reason: "earlyStopping" });
    for (const step of [6, 11]) expectSame(await resumed(join(folder, `killed-${step}`)), whole);
  });
});

describe("interrupted in the middle of a step's work", () => {
  test.each([
    ["before an evaluation", (event: RunEvent) => event.type === "step" && event.step === 10],
    [
      "between an evaluation and a sample",
      (event: RunEvent) => event.type === "evaluation" && event.step === 24,
    ],
    ["before a sample", (event: RunEvent) => event.type === "step" && event.step === 7],
    ["at a step that is saved anyway", (event: RunEvent) => event.type === "step" && event.step === 8],
    ["at a step with nothing to do", (event: RunEvent) => event.type === "step" && event.step === 9],
  ])("%s, the rest is done on resuming", async (_, isThen) => {
    const folder = await newFolder();
    const whole = await trained(everything(folder), join(folder, "whole"));
    const stop = new AbortController();
    const run = join(folder, "stopped");
    const end: RunEvent[] = [];
    await trained(
      everything(folder),
      run,
      (event) => {
        if (isThen(event)) stop.abort();
        if (event.type === "end") end.push(event);
      },
      { signal: stop.signal },
    );
    expect(end).toMatchObject([{ reason: "interrupted" }]);
    expectSame(await resumed(run), whole);
  });
});

/** Changes the state of a run's newest checkpoint as though the trainer had saved less. */
async function forget(run: string, change: (state: Record<string, unknown>) => Record<string, unknown>) {
  const path = join(run, "checkpoints", (await outcome(run)).checkpoint, "state.json");
  const manifest = JSON.parse(await readFile(path, "utf8"));
  const state = change(manifest.state);
  await writeFile(path, JSON.stringify({ ...manifest, state, stateSha256: sha256(JSON.stringify(state)) }));
}

describe("negative controls: a piece of the state is forgotten, and the run must not match", () => {
  test.each([
    ["the position in the data", "digests", (state: object) => ({ ...state, data: { epoch: 0, start: 0 } })],
    [
      "the best evaluation so far",
      "state",
      (state: object) => ({ ...state, evaluations: { metric: "loss", value: 0, since: 0 } }),
    ],
  ] as const)("%s", async (_, part, change) => {
    const folder = await newFolder();
    const whole = await killedAt(everything(folder), folder, [13]);
    const run = join(folder, "killed-13");
    await forget(run, change);
    expect((await resumed(run))[part]).not.toEqual(whole[part]);
  });

  test("the optimizer's state, by request", async () => {
    const folder = await newFolder();
    const whole = await killedAt(everything(folder), folder, [13]);
    const again = await resumed(join(folder, "killed-13"), { force: ["optimizer"] });
    expect(again.digests).not.toEqual(whole.digests);
  });
});

test("what is told first says where it goes on, and the file of events does not have it", async () => {
  const folder = await newFolder();
  await killedAt(everything(folder), folder, [13]);
  const { told, rows: written } = await resumed(join(folder, "killed-13"));
  expect(told[0]).toMatchObject({ type: "resume", maxSteps: 24, changes: [] });
  expect(JSON.stringify(written)).not.toContain('"resume"');
});

test("a finished run is refused, with what to do", async () => {
  const folder = await newFolder();
  const run = join(folder, "whole");
  await trained(everything(folder), run);
  await expect(resumed(run)).rejects.toMatchObject({
    code: "RESUME_REFUSED",
    message: expect.stringMatching(/is finished: it ended at step 24 \(maxSteps\).*--set trainer\.maxSteps/),
  });
});

test("a last line of metrics.ndjson that was torn, and rows after the checkpoint, are cut", async () => {
  const folder = await newFolder();
  const whole = await killedAt(everything(folder), folder, [13]);
  const run = join(folder, "killed-13");
  const metrics = join(run, "metrics.ndjson");
  await writeFile(metrics, `${await readFile(metrics, "utf8")}{"type":"step","step":14,"lo`);
  expectSame(await resumed(run), whole);
});

test("rows that a crash of the machine took are said, and no reason to lose the rest", async () => {
  const folder = await newFolder();
  const whole = await killedAt(everything(folder), folder, [13]);
  const run = join(folder, "killed-13");
  await writeFile(join(run, "metrics.ndjson"), '{"type":"start"}\n');
  const { told, digests } = await resumed(run);
  expect(digests).toEqual(whole.digests);
  expect(told[0]).toMatchObject({ notes: [expect.stringMatching(/its last rows are lost/)] });
});

test("a clock that goes backwards changes nothing", async () => {
  const folder = await newFolder();
  const config = everything(folder, { saveMinutes: 0.0001 });
  const whole = await trained(everything(folder), join(folder, "whole"));
  const real = Date.now;
  let now = real();
  Date.now = () => {
    now -= 60_000;
    return now;
  };
  try {
    const run = join(folder, "backwards");
    await trained(config, run, async (event) => {
      if (event.type === "step" && event.step === 13) await copyOf(run, "killed");
    });
    expect((await resumed(join(folder, "killed"))).digests).toEqual(whole.digests);
  } finally {
    Date.now = real;
  }
});

test("a copy of a run directory goes on, at a path with spaces and letters of any script", async () => {
  const folder = await newFolder();
  const whole = await killedAt(everything(folder), folder, [13]);
  await copyOf(join(folder, "killed-13"), "ein Lauf – путь 走");
  expectSame(await resumed(join(folder, "ein Lauf – путь 走")), whole);
});
