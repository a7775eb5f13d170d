/** A run that is tried before the long one: `limit` and `overfitBatch`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { RunConfigInput } from "../../src/run/config.ts";
import { loadRun } from "../../src/run/loaded-run.ts";
import { train } from "../../src/run/train.ts";
import type { OverfitEvent, RunEvent } from "../../src/trainers/index.ts";
import { ofType } from "../cli/project.ts";
import { copyOf, everything, newFolder, removeFolders, resumed, trained } from "./stopping.ts";

let folder: string;
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(removeFolders);

const json = async (...path: string[]) => JSON.parse(await readFile(join(folder, ...path), "utf8"));

async function eventsOf(
  config: RunConfigInput,
  options: Parameters<typeof train>[1] = {},
): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of await train(config, { out: join(folder, "run"), ...options })) events.push(event);
  return events;
}

describe("limit", () => {
  test("reads only so many examples, says so, and writes it down", async () => {
    const events = await eventsOf(everything(folder), { limit: 12 });
    expect(events[0]).toMatchObject({
      type: "start",
      data: { examples: 12, complete: true },
      notes: [expect.stringMatching(/only the first 12 examples of each split/)],
    });
    // Two batches of three an update: an epoch of 12 examples is two updates.
    const { data } = (await json("run/checkpoints/step-000024/state.json")).state;
    expect(data).toMatchObject({ epoch: 11, start: 12 });
    expect((await json("run/manifest.json")).trial).toEqual({ limit: 12 });
    expect(parse(await readFile(join(folder, "run/run.yaml"), "utf8"))).toMatchObject({ limit: 12 });
  });

  test("a run without one has none in its manifest, and reads all", async () => {
    const [start] = await eventsOf(everything(folder, { maxSteps: 1 }));
    expect(start).not.toHaveProperty("notes");
    expect((await json("run/manifest.json")).trial).toBeUndefined();
    expect(start?.type === "start" && start.data?.examples).toBeGreaterThan(12);
  });

  test("counts passes over what is read", async () => {
    const { maxSteps: _, ...trainer } = everything(folder).trainer;
    const config = { ...everything(folder), trainer: { ...trainer, numTrainEpochs: 2 } };
    expect((await eventsOf(config, { limit: 12 }))[0]).toMatchObject({ maxSteps: 4 });
  });

  test("killed and resumed, the run ends as if it had not been; another limit is refused", async () => {
    const run = join(folder, "whole");
    const kill = (event: RunEvent) => event.type === "step" && event.step === 14 && copyOf(run, "killed");
    const whole = await trained({ ...everything(folder), limit: 12 }, run, kill);
    await expect(resumed(join(folder, "killed"), { set: ["limit=14"] })).rejects.toThrow(
      /limit 12 → 14: the position in the data would mean other examples \(--force data\)/,
    );
    const again = await resumed(join(folder, "killed"));
    expect(again.told[0]).toMatchObject({
      type: "resume",
      notes: [expect.stringMatching(/only the first 12 examples/)],
    });
    expect(again.digests).toEqual(whole.digests);
    expect(again.rows).toEqual(whole.rows);
  });

  test("evaluating it later takes the whole split, and says so", async () => {
    await eventsOf(everything(folder), { limit: 2 });
    const { tokens, warnings } = await (await loadRun(join(folder, "run"))).evaluate();
    expect(tokens).toBeGreaterThan(2 * 16);
    expect(warnings).toContainEqual(expect.stringMatching(/trained with limit: 2.*whole validation split/));
  });
});

const learning = { maxSteps: 150, learningRate: 0.02, weightDecay: 0, saveSteps: 40, sampleSteps: undefined };
const wide = (given: RunConfigInput) => ({
  ...given,
  model: { ...(given.model as object), hiddenSize: 32 } as never,
});

describe("overfitBatch", () => {
  const verdict = (events: readonly RunEvent[]): OverfitEvent | undefined => ofType(events, "overfit")[0];

  test("a model that can learn learns its batch by heart, and the last event but one says so", async () => {
    const config = wide(everything(folder, { ...learning, gradientAccumulationSteps: 1, sampleTokens: 0 }));
    const events = await eventsOf(config, { overfitBatch: 1 });
    expect(events[0]).toMatchObject({
      data: { examples: 3, complete: true },
      notes: [expect.stringMatching(/trains on the first batch again and again/)],
    });
    expect(events.at(-2)).toMatchObject({
      type: "overfit",
      step: 150,
      batches: 1,
      threshold: 0.1,
      passed: true,
    });
    expect(verdict(events)?.loss).toBe(ofType(events, "evaluation").at(-1)?.loss);
    expect(events.at(-1)).toMatchObject({ type: "end", reason: "maxSteps" });
    expect((await json("run/manifest.json")).trial).toEqual({ overfitBatch: 1 });
  });

  test("one that cannot does not, and is told what is usually wrong", async () => {
    const config = { ...everything(folder, { learningRate: 1e-6 }), overfitBatch: 2 };
    const { overfit, end } = await (await train(config, { out: join(folder, "run") })).finish();
    expect(end.reason).toBe("maxSteps");
    expect(overfit).toMatchObject({ passed: false, batches: 2, step: 24 });
    expect(overfit?.message).toMatch(
      /did not learn 2 batches over 24 steps by heart: loss \d\.\d+, and 0\.1 or less was wanted \(it began at \d\.\d+\)\.\nWhat is usually wrong/,
    );
  });

  test("the batch is the same in every update: order, masks and dropout too", async () => {
    const tokenizer = { name: "wordpiece", vocabSize: 200 };
    const bert = {
      name: "bert",
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      hiddenSize: 16,
      intermediateSize: 32,
      maxPositionEmbeddings: 16,
      hiddenDropoutProb: 0.5,
    };
    const { sampleTokens: _, sampleSteps: __, ...trainer } = everything(folder).trainer;
    const losses = async (model: object, given: object, more: object) => {
      const config = {
        ...everything(folder),
        ...given,
        model,
        trainer: {
          ...trainer,
          maxSteps: 4,
          evalSteps: 4,
          learningRate: 1e-12,
          gradientAccumulationSteps: 1,
          ...more,
        },
      } as RunConfigInput;
      const events: RunEvent[] = [];
      const out = join(folder, String((model as { name: string }).name));
      for await (const event of await train(config, { overfitBatch: 1, out })) events.push(event);
      return [...ofType(events, "step"), ...ofType(events, "evaluation")].map(({ loss }) => loss);
    };
    // The weights all but stand still, so that only another batch could have another loss.
    for (const all of [
      await losses({ ...everything(folder).model, dropout: 0.5 }, {}, {}),
      await losses(bert, { tokenizer, metrics: [] }, { name: "masked_lm", groupByLength: true }),
    ]) {
      expect(all).toHaveLength(5);
      for (const loss of all) expect(loss).toBeCloseTo(all[0] ?? 0, 5);
    }
  });

  test("killed and resumed, the verdict is the same, though all that is left to do is to tell it", async () => {
    const run = join(folder, "whole");
    const kill = async (event: RunEvent) => {
      if (event.type === "step" && event.step === 14) await copyOf(run, "killed-14");
      if (event.type === "checkpoint" && event.step === 24) await copyOf(run, "killed-24");
    };
    const whole = await trained({ ...everything(folder), overfitBatch: 2 }, run, kill);
    for (const killed of ["killed-14", "killed-24"]) {
      const again = await resumed(join(folder, killed));
      expect(again.digests).toEqual(whole.digests);
      expect(again.rows).toEqual(whole.rows);
      expect(again.rows.at(-2)).toMatchObject({ type: "overfit", passed: false });
    }
  });

  test("an interrupted run is not judged", async () => {
    const stop = new AbortController();
    const listener = {
      event: (event: RunEvent) => event.type === "step" && event.step === 3 && stop.abort(),
      close: () => {},
    };
    const events = await eventsOf(everything(folder), {
      overfitBatch: 1,
      signal: stop.signal,
      trackers: [listener as never],
    });
    expect(events.at(-1)).toMatchObject({ type: "end", reason: "interrupted" });
    expect(verdict(events)).toBeUndefined();
  });

  test("needs a trainer whose batches have a size that is known", async () => {
    const trainer = { train: async function* () {} };
    await expect(
      train({ ...everything(folder), trainer, overfitBatch: 1 } as RunConfigInput),
    ).rejects.toThrow(/overfitBatch: the trainer ".*" has no option batchSize/);
  });
});

test.each(["limit", "overfitBatch"])("%s is a count", async (key) => {
  for (const value of [0, 1.5, "many"])
    await expect(train({ ...everything(folder), [key]: value } as RunConfigInput)).rejects.toThrow(
      new RegExp(`${key}: expected a whole number from 1`),
    );
});
