/** `from`: a classifier that goes on from the weights and the vocabulary of a pretrained encoder. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunConfigInput, type RunEvent, train } from "../../src/faces/index.ts";
import { readCheckpoint } from "../../src/run/checkpoint.ts";

let folder: string;
const bert = {
  name: "bert",
  hiddenSize: 16,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  intermediateSize: 32,
  maxPositionEmbeddings: 24,
};
const lines = Array.from({ length: 60 }, (_, at) => ({
  text: at % 2 === 0 ? `the white whale number ${at} swims` : `a cheap offer number ${at} for you`,
  label: at % 2 === 0 ? "ham" : "spam",
}));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codex-ml-from-"));
  await writeFile(join(folder, "mails.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await writeFile(join(folder, "texts.txt"), lines.map(({ text }) => `${text}\n`).join(""));
  const run = await train(pretraining(), { out: join(folder, "pretrained") });
  await run.finish();
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function pretraining(): RunConfigInput {
  return {
    directory: folder,
    tokenizer: { name: "wordpiece", vocabSize: 150 },
    data: { name: "lines", path: "texts.txt" },
    model: bert,
    trainer: { name: "masked_lm", maxSteps: 5, batchSize: 4 },
  };
}

function classifying(changes: Partial<RunConfigInput> = {}): RunConfigInput {
  return {
    directory: folder,
    tokenizer: { name: "wordpiece", from: "pretrained" },
    data: { name: "jsonl", path: "mails.jsonl", columns: { text: "text", label: "label" }, validation: 0.3 },
    model: { name: "bert", from: "pretrained" },
    trainer: {
      name: "sequence_classification",
      maxSteps: 3,
      batchSize: 4,
      learningRate: 1e-9,
      weightDecay: 0,
    },
    ...changes,
  };
}

async function eventsOf(config: RunConfigInput, out: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of await train(config, { out: join(folder, out) })) events.push(event);
  return events;
}

describe("a classifier that starts from a pretrained encoder", () => {
  test("has its weights, its vocabulary and its sizes, and says what is new", async () => {
    const events = await eventsOf(classifying(), "classifier");
    const start = events.find((event) => event.type === "start");
    expect(start?.notes?.[0]).toMatch(
      /^\d+ of \d+ parameters start from .*pretrained \(new: .*classifier\.weight.*; not used: cls\./,
    );
    const read = async (run: string, step: string) =>
      (await readCheckpoint(join(folder, run, "checkpoints", step))).parameters;
    const [before, after] = [
      await read("pretrained", "step-000005"),
      await read("classifier", "step-000003"),
    ];
    const name = "bert.embeddings.word_embeddings.weight";
    const [first, last] = [before.get(name)?.data as Float32Array, after.get(name)?.data as Float32Array];
    expect(last.length).toBe(first.length);
    // Three steps of a learning rate of 1e-9 move nothing that float32 could tell from rounding.
    for (const [at, value] of first.entries()) expect(last[at]).toBeCloseTo(value, 6);
    expect(await readFile(join(folder, "classifier/tokenizer/tokenizer.json"), "utf8")).toBe(
      await readFile(join(folder, "pretrained/tokenizer/tokenizer.json"), "utf8"),
    );
    expect(events.at(-1)).toMatchObject({ type: "end", reason: "maxSteps" });
  });

  test("can be loaded and evaluated without the run that it started from", async () => {
    const run = await train(classifying(), { out: join(folder, "alone") });
    await run.finish();
    const { rename } = await import("node:fs/promises");
    await rename(join(folder, "pretrained"), join(folder, "moved"));
    try {
      const loaded = await run.load();
      expect(loaded.model.labels).toEqual(["ham", "spam"]);
      const { metrics } = await loaded.evaluate();
      expect(metrics.accuracy).toBeGreaterThanOrEqual(0);
    } finally {
      await rename(join(folder, "moved"), join(folder, "pretrained"));
    }
  });

  test.each<[string, Partial<RunConfigInput>, RegExp]>([
    [
      "another vocabulary",
      { tokenizer: { name: "wordpiece", vocabSize: 70 } },
      /trained with another vocabulary.*`from`/,
    ],
    [
      "another component",
      { model: { name: "embedding_bag", from: "pretrained" } },
      /the model of .*pretrained is "bert", not "embedding_bag"/,
    ],
    ["no run", { model: { name: "bert", from: "texts.txt" } }, /texts\.txt is a file, not a run directory/],
    [
      "another size",
      { model: { name: "bert", from: "pretrained", hiddenSize: 32 } },
      /the parameter ".+" is \(.*32.*\), and \(.*16.*\) in .*pretrained/,
    ],
  ])("%s is refused", async (what, changes, says) => {
    await expect(eventsOf(classifying(changes), what.replaceAll(" ", "-"))).rejects.toThrow(says);
  });
});
