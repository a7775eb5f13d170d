/** `train()` from a program: the run as an object, its events, and what is left when it fails or is stopped. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createRegistries,
  type RunConfigInput,
  type RunEvent,
  RunFileError,
  type Tokenizer,
  type Tracker,
  type Trainer,
  type TrainOptions,
  train,
} from "../../src/faces/index.ts";
import { inspectData } from "../../src/run/inspect-data.ts";
import { corpus, tinyModel, tinyRun, tinyTrainer } from "../cli/tiny.ts";

let folder: string;
let out: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "codex-ml-train-"));
  out = join(folder, "run");
  await writeFile(join(folder, "corpus.txt"), corpus);
});
afterEach(() => rm(folder, { recursive: true }));

/** The tiny run in the test's folder. */
function tiny(changes: Partial<RunConfigInput> = {}): RunConfigInput {
  return { ...tinyRun, directory: folder, ...changes };
}

async function collect(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

async function written(): Promise<RunEvent[]> {
  const lines = (await readFile(join(out, "metrics.ndjson"), "utf8")).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as RunEvent);
}

describe("a run", () => {
  test("gives the events that its directory keeps", async () => {
    const run = await train(tiny(), { out });
    expect(await collect(run)).toEqual(await written());
  });

  test("warns once of what its data loader left out", async () => {
    await writeFile(join(folder, "lines.jsonl"), `broken\n${JSON.stringify({ text: corpus })}\n`);
    const data = { name: "jsonl", path: "lines.jsonl", validation: 0, onError: "skip" };
    const events = await collect(await train(tiny({ data }), { out }));
    const warnings = events.filter(({ type }) => type === "warning");
    expect(warnings).toEqual([
      {
        type: "warning",
        code: "DATA_NOTE",
        message: expect.stringMatching(/^1 record.*lines\.jsonl:1 is not JSON/s),
      },
    ]);
  });

  test("says before its first step what `data inspect` says of the training data, and counts its epochs", async () => {
    const texts = [corpus.slice(0, 300), "x", corpus.slice(300, 340), corpus.slice(340, 350)];
    await writeFile(
      join(folder, "lines.jsonl"),
      texts.map((text) => `${JSON.stringify({ text })}\n`).join(""),
    );
    const { maxSteps: _, ...rest } = tinyTrainer;
    const trainer = { ...rest, numTrainEpochs: 2, groupByLength: true };
    const data = { name: "jsonl", path: "lines.jsonl", validation: 0, packing: false, cache: false };
    const file = join(folder, "run.json");
    const plain = { ...tinyRun, data, trainer };
    await writeFile(file, JSON.stringify(plain));
    const events = await collect(await train(file, { out }));
    const [start] = events;
    if (start?.type !== "start") throw new Error("no start");
    const { splits } = await inspectData(file);
    expect(start.data?.examples).toBeGreaterThan(3);
    expect(splits[0]).toMatchObject({ ...start.data });
    expect(start.maxSteps).toBe(events.filter(({ type }) => type === "step").length);
  });

  test("is called what it is named, and says where its directory is", async () => {
    const run = await train(tiny(), { out, name: "my run" });
    expect(run.directory).toBe(out);
    expect((await collect(run))[0]).toMatchObject({ type: "start", run: "my run" });
    expect(JSON.parse(await readFile(join(out, "manifest.json"), "utf8"))).toMatchObject({ name: "my run" });
  });

  test("trains nothing before its events are read", async () => {
    const run = await train(tiny(), { out });
    expect(await written()).toEqual([]);
    expect(existsSync(join(out, "checkpoints"))).toBe(false);
    await run.finish();
    expect(existsSync(join(out, "checkpoints"))).toBe(true);
  });

  test("says at the end how it went", async () => {
    const run = await train(tiny(), { out });
    const { end, evaluation } = await run.finish();
    const events = await written();
    expect(end).toEqual({ type: "end", step: 12, reason: "maxSteps" });
    expect(evaluation).toEqual(events.filter(({ type }) => type === "evaluation").at(-1));
  });

  test("cannot be trained twice: its events are over, and finishing it again is an error", async () => {
    const run = await train(tiny(), { out });
    await run.finish();
    expect(await collect(run)).toEqual([]);
    await expect(run.finish()).rejects.toThrow(/before/);
    expect((await written()).filter(({ type }) => type === "start")).toHaveLength(1);
  });

  test("loads again, evaluates as before, and generates the same from equal seeds", async () => {
    const run = await train(tiny(), { out });
    const { evaluation } = await run.finish();
    const loaded = await run.load();
    expect(loaded.step).toBe(12);
    expect((await loaded.evaluate()).loss).toBeCloseTo(evaluation?.loss ?? Number.NaN, 6);
    const text = async (seed: number): Promise<string> => {
      let all = "";
      for await (const piece of loaded.generate("the", { maxNewTokens: 12, temperature: 1, seed }))
        all += piece;
      return all;
    };
    expect(await text(1)).toBe(await text(1));
    expect(await text(1)).not.toBe(await text(2));
  });

  test("two runs of one process give the same bytes", async () => {
    const bytes: Buffer[] = [];
    for (const name of ["first", "second"]) {
      const run = await train(tiny(), { out: join(folder, name) });
      await run.finish();
      bytes.push(await readFile(join(folder, name, "checkpoints/step-000012/model.safetensors")));
    }
    expect(bytes[0]?.equals(bytes[1] ?? Buffer.alloc(0))).toBe(true);
  });

  test("a reader that leaves early ends it, and its directory keeps what was read", async () => {
    const run = await train(tiny(), { out });
    const read: RunEvent[] = [];
    for await (const event of run) {
      read.push(event);
      if (event.type === "step" && event.step === 2) break;
    }
    expect(await written()).toEqual(read);
  });
});

describe("components as objects", () => {
  test("a metric is called by the name of its function", async () => {
    function half(): number {
      return 0.5;
    }
    const { evaluation } = await (await train(tiny({ metrics: ["perplexity", half] }), { out })).finish();
    expect(evaluation?.metrics).toEqual({ perplexity: expect.any(Number), half: 0.5 });
  });

  test("a tokenizer gives the model its vocabulary, and its origin is the program", async () => {
    class Letters implements Tokenizer {
      readonly vocabSize = 28;
      encode(text: string): number[] {
        return Array.from(text, (letter) => Math.max(0, " abcdefghijklmnopqrstuvwxyz".indexOf(letter)));
      }
      decode(ids: Iterable<number>): string {
        return Array.from(ids, (id) => " abcdefghijklmnopqrstuvwxyz"[id] ?? "?").join("");
      }
    }
    const events = await collect(await train(tiny({ tokenizer: new Letters() }), { out }));
    expect(events[0]).toMatchObject({
      components: expect.arrayContaining([{ kind: "tokenizer", name: "Letters", origin: "program" }]),
    });
    expect(events.find((event) => event.type === "step")?.loss).toBeCloseTo(Math.log(28), 1);
  });

  test("a run that holds one says, when it is loaded, that a file cannot build it", async () => {
    const half = (): number => 0.5;
    const run = await train(tiny({ metrics: [half] }), { out });
    await run.finish();
    await expect(run.load()).rejects.toThrow(/half/);
  });
});

describe("a run that is asked for wrongly", () => {
  test("throws every mistake at once, before anything is created", async () => {
    const run = tiny({
      tokenizer: "byt",
      model: { ...tinyModel, hidenSize: 16 },
      trainer: { ...tinyTrainer, maxSteps: "many" },
    });
    const error = await train(run, { out }).catch((reason: unknown) => reason);
    if (!(error instanceof RunFileError)) throw error;
    expect(error.problems.map(({ path }) => path.join("."))).toEqual([
      "tokenizer",
      "model.hidenSize",
      "trainer.maxSteps",
    ]);
    expect(await readdir(folder)).toEqual(["corpus.txt"]);
  });

  test("is refused a folder that holds something", async () => {
    await expect(train(tiny(), { out: folder })).rejects.toThrow(/not empty/);
    expect(await readdir(folder)).toEqual(["corpus.txt"]);
  });
});

describe("a run that is stopped", () => {
  test("finishes its step, saves a checkpoint and ends as interrupted", async () => {
    const stop = new AbortController();
    const events: RunEvent[] = [];
    for await (const event of await train(tiny(), { out, signal: stop.signal })) {
      events.push(event);
      if (event.type === "step" && event.step === 3) stop.abort();
    }
    const last = events.flatMap((event) => (event.type === "step" ? [event.step] : [])).at(-1) ?? 0;
    expect(last).toBeGreaterThanOrEqual(3);
    expect(last).toBeLessThan(12);
    expect(events.slice(-2)).toMatchObject([
      { type: "checkpoint", step: last },
      { type: "end", step: last, reason: "interrupted" },
    ]);
  });

  test("before its first step it ends as interrupted too, and not with an error", async () => {
    const events = await collect(await train(tiny(), { out, signal: AbortSignal.abort() }));
    expect(events.at(-1)).toEqual({ type: "end", step: 0, reason: "interrupted" });
    expect(await written()).toEqual(events);
  });
});

describe("a run that fails", () => {
  const failing: Trainer = {
    async *train() {
      yield {
        ...{ type: "step", step: 1, loss: 5.5, learningRate: 1 },
        ...{ gradientNorm: 1, tokens: 1, tokensPerSecond: 1 },
      } as const;
      throw new Error("out of cucumbers");
    },
  };

  test("throws to its reader, and its directory's last event tells the same", async () => {
    const run = await train(tiny({ trainer: failing }), { out });
    await expect(collect(run)).rejects.toThrow("out of cucumbers");
    expect((await written()).map(({ type }) => type)).toEqual(["start", "step", "system", "error"]);
    expect((await written()).at(-1)).toMatchObject({
      code: "TRAINER_FAILED",
      message: expect.stringMatching(
        /^The trainer ".*" \(program\) failed: out of cucumbers\nIt came after step 1; nothing is saved\.$/,
      ),
    });
  });

  test("tells its trackers the error and closes them", async () => {
    const told: string[] = [];
    const tracker: Tracker = {
      event: ({ type }) => told.push(type),
      close: () => void told.push("closed"),
    };
    const run = await train(tiny({ trainer: failing }), { out, trackers: [tracker] });
    await run.finish().catch(() => {});
    expect(told).toEqual(["start", "step", "system", "error", "closed"]);
  });
});

describe("registries", () => {
  test("of a caller are where names are looked up", async () => {
    const registries: TrainOptions["registries"] = createRegistries({ plugins: false });
    registries.metrics.register("mine", () => () => 7);
    const run = await train(tiny({ metrics: ["mine"] }), { out, registries });
    expect((await run.finish()).evaluation?.metrics).toEqual({ mine: 7 });
    expect((await (await run.load()).evaluate()).metrics).toEqual({ mine: 7 });
    await expect(train(tiny({ metrics: ["mine"] }), { out: join(folder, "other") })).rejects.toThrow(/mine/);
  });
});
