/** What a colleague would say of a run before, or right after, its first step; and that he keeps still where all is well. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunConfigInput } from "../../src/run/config.ts";
import { firstLossWarning } from "../../src/run/first-loss.ts";
import { train } from "../../src/run/train.ts";
import type { RunEvent, StepEvent, Trainer, WarningEvent } from "../../src/trainers/index.ts";
import { ofType } from "../cli/project.ts";
import { smallGpt } from "../trainers/fixtures.ts";
import { copyOf, everything, newFolder, removeFolders, resumed } from "./stopping.ts";

let folder: string;
let runs = 0;
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(removeFolders);

const last = () => join(folder, `run-${runs}`);

/** All events, or those up to the first of a kind. */
async function eventsOf(config: RunConfigInput, until?: RunEvent["type"]): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  runs++;
  for await (const event of await train(config, { out: last() })) {
    events.push(event);
    if (event.type === until) break;
  }
  return events;
}

async function warningsOf(config: RunConfigInput): Promise<WarningEvent[]> {
  return ofType(await eventsOf(config), "warning");
}

/** A run of two steps. */
function short(more: object = {}, trainer: Readonly<Record<string, unknown>> = {}): RunConfigInput {
  const { sampleSteps: _, ...given } = everything(folder, {
    maxSteps: 2,
    warmupSteps: 0,
    sampleTokens: 0,
  }).trainer;
  return { ...everything(folder), trainer: { ...given, ...trainer }, ...more };
}

test("of a run where all is well nothing is said", async () => {
  expect(await warningsOf(short())).toEqual([]);
});

describe("the first loss", () => {
  const model = () => ({ ...everything(folder).model, dropout: 0 });

  test("is far above ln(vocabulary) where initial weights are too large: said after the first step, once", async () => {
    const events = await eventsOf(short({ model: { ...model(), initializerRange: 3 } }));
    const at = events.findIndex(({ type }) => type === "warning");
    const [step] = ofType(events, "step");
    expect(events.slice(0, at).filter(({ type }) => type === "step")).toEqual([step]);
    expect(events[at]).toMatchObject({
      code: "LOSS_AT_START",
      numbers: { loss: step?.loss, expected: expect.closeTo(Math.log(300), 10) },
      message: expect.stringMatching(
        /^the first loss is \d+\.\d\d, and a model that knows nothing has 5\.70 .*initial weights are too large/,
      ),
    });
    expect(ofType(events, "warning")).toHaveLength(1);
  });

  test("of weights from another run is as it is", async () => {
    await eventsOf(short({ model: { ...model(), initializerRange: 3 } }));
    const from = last();
    const changed = { model: { name: "gpt2", from }, tokenizer: { name: "bpe", from } };
    const events = await eventsOf(short(changed));
    expect(ofType(events, "step")[0]?.loss).toBeGreaterThan(2 * Math.log(300));
    expect(ofType(events, "warning")).toEqual([]);
  });

  test("is judged by what the model is for", async () => {
    const step = (loss: number): StepEvent => ({
      type: "step",
      step: 1,
      loss,
      learningRate: 1,
      gradientNorm: 1,
      tokens: 1,
      tokensPerSecond: 1,
    });
    const gpt = await smallGpt();
    const trainer: Trainer = { async *train() {} };
    const said = (loss: number, weights: "fresh" | "pretrained" | "unknown" = "fresh") =>
      firstLossWarning(step(loss), gpt, trainer, weights)?.message;
    // ln(20) is 3.00, and a quarter of that is 0.75.
    for (const loss of [2.3, 3, 3.7]) expect(said(loss)).toBeUndefined();
    expect(said(3.8)).toMatch(/sure of what is wrong/);
    expect(said(2.2)).toMatch(/sees what it is to predict/);
    expect(said(2.2, "unknown")).toBeUndefined();
    expect(said(3.8, "unknown")).toBeDefined();
    expect(said(30, "pretrained")).toBeUndefined();
    const classifier: Trainer = {
      ...trainer,
      objective: () => ({ uniformLoss: () => Math.log(2) }) as never,
    };
    expect(firstLossWarning(step(1.1), gpt, classifier, "fresh")).toBeUndefined();
    expect(firstLossWarning(step(1.3), gpt, classifier, "fresh")).toBeDefined();
  });
});

describe("the learning rate", () => {
  const rates = async (trainer: object) => {
    const config = short({}, { maxSteps: 100, evalSteps: 100, ...trainer });
    return ofType(await eventsOf(config, "step"), "warning");
  };

  test("that does not warm up is said, of an adaptive optimizer in a run that is no trial", async () => {
    expect(await rates({})).toMatchObject([
      {
        code: "NO_WARMUP",
        numbers: { learningRate: 0.01, warmupSteps: 0, maxSteps: 100 },
        message: expect.stringMatching(/warmupRatio/),
      },
    ]);
    for (const harmless of [{ warmupSteps: 3 }, { learningRate: 5e-5 }, { optim: "sgd" }, { maxSteps: 99 }])
      expect(await rates(harmless)).toEqual([]);
  });

  test("that never reaches its peak is said", async () => {
    expect(await rates({ warmupSteps: 101 })).toMatchObject([
      { code: "WARMUP_TOO_LONG", numbers: { warmupSteps: 101, maxSteps: 100 } },
    ]);
  });
});

test("a validation split smaller than a batch is said before the first step, with both numbers", async () => {
  const events = await eventsOf(short({}, { batchSize: 64, gradientAccumulationSteps: 1 }));
  const [warning] = ofType(events, "warning");
  expect(warning).toMatchObject({
    code: "VALIDATION_SMALL",
    numbers: { examples: expect.any(Number), batchSize: 64 },
  });
  expect(warning?.numbers?.examples).toBeLessThan(64);
  expect(events.slice(0, 3).map(({ type }) => type)).toEqual(["start", "warning", "step"]);
});

describe("texts in training and validation", () => {
  const lines = Array.from({ length: 40 }, (_, at) => `line ${at} of a text, which has a few words`);
  const texts = (train: readonly string[], validation: readonly string[]) => ({
    data: { name: "memory", examples: train, validation, packing: false },
  });

  test("are said with how many and one of them, before the first step", async () => {
    const events = await eventsOf(
      short(texts(lines, [...lines.slice(3, 6), "a text of its own", "and another one"])),
    );
    expect(events.slice(0, 3).map(({ type }) => type)).toEqual(["start", "warning", "step"]);
    expect(events[1]).toMatchObject({
      code: "OVERLAP",
      numbers: { found: 3, of: 5, against: 40 },
      message: expect.stringMatching(/^3 of 5 validation texts are among the 40 .*"line 3 of a text/),
    });
  });

  test("that only one split has are not", async () => {
    const held = Array.from({ length: 5 }, (_, at) => `${at} is a text of its own`);
    expect(await warningsOf(short(texts(lines, held)))).toEqual([]);
  });

  test("of files are found too, and of pairs only where both texts are the same", async () => {
    const record = (text: string, textPair: string, label: string) =>
      `${JSON.stringify({ text, textPair, label })}\n`;
    const pairs = lines.map((line, at) => record(line, `answer ${at}`, at % 2 === 0 ? "yes" : "no"));
    await writeFile(join(folder, "train.jsonl"), pairs.join(""));
    const config = async (held: string) => {
      await writeFile(join(folder, "held.jsonl"), held);
      const columns = { text: "text", textPair: "textPair", label: "label" };
      return short({
        data: { name: "jsonl", path: "train.jsonl", validation: "held.jsonl", columns, cache: false },
        model: { name: "embedding_bag", hiddenSize: 8 },
        trainer: { name: "sequence_classification", maxSteps: 1, batchSize: 2, sequenceLength: 32 },
        metrics: ["accuracy"],
      });
    };
    const other = record(lines[3] ?? "", "another answer", "yes");
    expect(await warningsOf(await config(other + other.replace("line 3", "line 4")))).toEqual([]);
    expect(await warningsOf(await config(`${pairs[3]}${other}`))).toMatchObject([
      { code: "OVERLAP", numbers: { found: 1, of: 2, against: 40 } },
    ]);
  });
});

test("a run that goes on is not told again", async () => {
  const config = short({}, { batchSize: 64, gradientAccumulationSteps: 1, maxSteps: 4, saveSteps: 2 });
  runs++;
  for await (const event of await train(config, { out: last() }))
    if (event.type === "checkpoint" && event.step === 2) await copyOf(last(), "killed");
  expect(ofType((await resumed(join(folder, "killed"))).told, "warning")).toEqual([]);
});
