/** A loss that is not a number, a loader, a trainer that break in the middle of a run: what is said, what is kept, how it goes on. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DataLoader } from "../../src/data-loaders/index.ts";
import { getDataLoader } from "../../src/data-loaders/index.ts";
import { getModel, type Model } from "../../src/models/index.ts";
import type { RunConfigInput } from "../../src/run/config.ts";
import { inspectData } from "../../src/run/inspect-data.ts";
import { train } from "../../src/run/train.ts";
import { add, cast, equal, log, reshape, sub } from "../../src/tensor/index.ts";
import type { RunEvent } from "../../src/trainers/index.ts";
import { getTrainer } from "../../src/trainers/index.ts";
import { ofType } from "../cli/project.ts";
import { copyOf, newFolder, removeFolders, resumed, trained } from "./stopping.ts";

let folder: string;
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(removeFolders);

const tilde = "~".charCodeAt(0);

/** A small GPT-2 over bytes whose logits are broken where it reads a "~". */
async function poisoned(): Promise<Model> {
  const size = { vocabSize: 257, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2 };
  const model = (await getModel("gpt2", { ...size, maxPositionEmbeddings: 32 })) as Model;
  const forward: Model["forward"] = (inputs, context) => {
    const { logits } = model.forward(inputs, context);
    const isPoison = cast(equal(inputs.inputIds, tilde), "float32");
    return { logits: add(logits, reshape(log(sub(1, isPoison)), [...inputs.inputIds.shape, 1])) };
  };
  const { task, vocabSize, maxPositionEmbeddings, config } = model;
  return { task, vocabSize, maxPositionEmbeddings, config, parameters: () => model.parameters(), forward };
}

const lines = Array.from({ length: 30 }, (_, at) => `line ${at} has ${at === 17 ? "~" : "no"} poison`);

async function config(trainer: object = {}): Promise<RunConfigInput> {
  return {
    seed: 3,
    tokenizer: "byte",
    data: { name: "memory", examples: lines, validation: ["held out", "and this"], packing: false },
    model: await poisoned(),
    trainer: {
      ...{ name: "causal_lm", maxSteps: 20, batchSize: 2, warmupSteps: 2, learningRate: 0.01 },
      ...{ saveSteps: 3, evalSteps: 10, sampleTokens: 0, ...trainer },
    },
  };
}

/** Reads a run to its end or failure. */
async function read(given: RunConfigInput, out = join(folder, "run")) {
  const events: RunEvent[] = [];
  try {
    for await (const event of await train(given, { out })) events.push(event);
    return { events, message: "" };
  } catch (error) {
    return { events, message: (error as Error).message, error };
  }
}

describe("a loss that is not a number", () => {
  test("stops the run, and says how to look at the batch: that shows the example", async () => {
    const { message, error } = await read(await config());
    expect(error).toMatchObject({ code: "NOT_FINITE" });
    const found =
      /training examples (\d+) to (\d+) of epoch 0.*\n.*data inspect <run directory>\/run\.yaml --split train --epoch 0 --start (\d+) --examples 2\n/.exec(
        message,
      );
    const [, from, to, start] = (found ?? []).map(Number);
    expect(Number(to) - Number(from)).toBe(1);
    expect(start).toBe(from);
    const before = Number(from) / 2;
    expect(message).toMatch(new RegExp(`\\nIt came after step ${before}; checkpoints/step-0000.* is saved`));
    // The model is an object, so the data is looked at with another: what counts is which examples they are.
    const seen = await inspectAt(Number(start), 2);
    expect(seen.filter((text) => text.includes("~"))).toHaveLength(1);
    // A negative control: two places on it is not there.
    expect((await inspectAt(Number(start) + 2, 2)).join()).not.toContain("~");
  });

  async function inspectAt(start: number, examples: number): Promise<string[]> {
    const { writeFile } = await import("node:fs/promises");
    const model = {
      name: "gpt2",
      hiddenSize: 16,
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      maxPositionEmbeddings: 32,
    };
    await writeFile(join(folder, "run.json"), JSON.stringify({ ...(await config()), model }));
    const { examples: seen } = await inspectData(join(folder, "run.json"), {
      split: "train",
      start,
      examples,
    });
    return seen.map(({ pieces }) => pieces.map(({ text }) => text).join(""));
  }

  test("is skipped when that is wanted, counted, and resumed over to the same bytes", async () => {
    const skipping = { nonFiniteLoss: "skip", maxSteps: 40 };
    const run = join(folder, "whole");
    const events: RunEvent[] = [];
    const whole = await trained(await config(skipping), run, async (event) => {
      events.push(event);
      // Before the first, between two, and after the second.
      if (event.type === "step" && [2, 20, 38].includes(event.step))
        await copyOf(run, `killed-${event.step}`);
    });
    // 30 examples in pairs: one batch of 15 is poisoned, in each of three epochs.
    const said = ofType(events, "warning");
    expect(said.map(({ code, numbers }) => ({ code, ...numbers }))).toEqual(
      [1, 2, 3].map((skipped) => ({ code: "SKIPPED", step: expect.any(Number), skipped, inARow: 1 })),
    );
    expect(whole.state).toMatchObject({ skippedInAll: 3 });
    for (const step of [2, 20, 38]) {
      const again = await resumed(join(folder, `killed-${step}`), { replace: { model: await poisoned() } });
      expect(again.digests).toEqual(whole.digests);
      expect(again.rows).toEqual(whole.rows);
    }
  });

  test("in groups of similar lengths, the group is named", async () => {
    const { message } = await read(
      await config({ groupByLength: true, numTrainEpochs: 2, maxSteps: undefined }),
    );
    expect(message).toMatch(
      /It came with batch \d+ of the group of similar lengths that begins at the training example 0 of epoch 0\./,
    );
    expect(message).toMatch(/--epoch 0 --start 0\n/);
  });
});

describe("a component that throws in the middle of a run", () => {
  const healthy = async (trainer: object = {}) => {
    const given = await config(trainer);
    const size = { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, maxPositionEmbeddings: 32 };
    return { ...given, model: { name: "gpt2", ...size } } as RunConfigInput;
  };

  test("a data loader is named, with the step and what is saved; mended, the run goes on as if nothing had been", async () => {
    const { data: slot } = await healthy();
    const { name: _, ...options } = slot as { name: string };
    const loader = (await getDataLoader("memory", options as never)) as DataLoader;
    let isBroken = true;
    const flaky: DataLoader = {
      ...{
        splits: loader.splits,
        texts: (split) => loader.texts(split),
        fingerprint: () => loader.fingerprint(),
      },
      async *examples(split, request) {
        let index = request.start;
        for await (const example of loader.examples(split, request)) {
          // The data is looked at before the first step: the second epoch breaks.
          if (isBroken && split === "train" && request.epoch === 1 && index++ === 4)
            throw new TypeError("the cable is loose");
          yield example;
        }
      },
    };
    const given = { ...(await healthy()), data: flaky };
    const { error, message } = await read(given);
    expect(error).toMatchObject({ code: "DATA_LOADER_FAILED" });
    // 15 steps in the first epoch, and two in the second.
    expect(message).toMatch(
      /^The data loader ".*" \(program\) failed: the cable is loose\nIt came after step 17; checkpoints\/step-000017 is saved, and once it is mended, `codex-ml resume .*run` goes on from there\.$/,
    );
    isBroken = false;
    const whole = await trained({ ...given }, join(folder, "whole"));
    const again = await resumed(join(folder, "run"), { replace: { data: flaky } });
    expect(again.digests).toEqual(whole.digests);
    expect(again.rows).toEqual(whole.rows);
  });

  test("a metric is named, with the step and what is saved", async () => {
    const metrics = [
      () => {
        throw new RangeError("cannot count so far");
      },
    ];
    const { error, message } = await read({ ...(await healthy()), metrics: metrics as never });
    expect(error).toMatchObject({ code: "METRIC_FAILED" });
    expect(message).toMatch(
      /^The metric ".*" \(program\) failed: cannot count so far\nIt came after step 10; checkpoints\/step-000010 is saved/,
    );
    expect(existsSync(join(folder, "run/checkpoints/step-000010"))).toBe(true);
  });

  test("a trainer is named, with the step and what is saved", async () => {
    const inner = await getTrainer("causal_lm", {
      maxSteps: 20,
      batchSize: 2,
      saveSteps: 3,
      sampleTokens: 0,
    });
    class Fragile {
      readonly resumes = true;
      async *train(context: Parameters<typeof inner.train>[0]) {
        for await (const event of inner.train(context)) {
          yield event;
          if (event.type === "step" && event.step === 5) throw new Error("broke");
        }
      }
    }
    const { error, message, events } = await read({ ...(await healthy()), trainer: new Fragile() });
    expect(error).toMatchObject({
      code: "TRAINER_FAILED",
      cause: expect.objectContaining({ message: "broke" }),
    });
    expect(message).toMatch(
      /^The trainer "Fragile" \(program\) failed: broke\nIt came after step 5; checkpoints\/step-000005 is saved/,
    );
    expect(events.at(-1)).toMatchObject({ type: "step", step: 5 });
  });
});
