/** What may be another when a run goes on, what is refused, and what is asked for by name. */
import { appendFile, mkdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readCheckpoint } from "../../src/run/checkpoint.ts";
import { sha256 } from "../../src/run/checkpoint-files.ts";
import { outcome } from "../run-outcome.ts";
import { copyOf, everything, newFolder, removeFolders, resumed, trained } from "./stopping.ts";

let folder: string;
let run: string;
beforeEach(async () => {
  folder = await newFolder();
  run = join(folder, "killed");
  const whole = join(folder, "whole");
  await trained(everything(folder), whole, async (event) => {
    if (event.type === "step" && event.step === 14) await copyOf(whole, "killed");
  });
});
afterEach(removeFolders);

const manifest = async () => JSON.parse(await readFile(join(run, "manifest.json"), "utf8"));
const runYaml = async () => parse(await readFile(join(run, "run.yaml"), "utf8"));

async function refused(options: Parameters<typeof resumed>[1]): Promise<string> {
  const error: unknown = await resumed(run, options).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: "RESUME_REFUSED" });
  return error instanceof Error ? error.message : "";
}

test("another learning rate and more steps are said, recorded and kept for the next time", async () => {
  const set = ["trainer.learningRate=0.005", "trainer.maxSteps=26"];
  const { told, checkpoint } = await resumed(run, { set });
  const changes = [
    { path: "trainer.maxSteps", from: 24, to: 26 },
    { path: "trainer.learningRate", from: 0.01, to: 0.005 },
  ];
  expect(told[0]).toMatchObject({ type: "resume", maxSteps: 26, changes });
  expect(checkpoint).toBe("step-000026");
  expect((await manifest()).resumed).toEqual([{ at: expect.any(String), step: expect.any(Number), changes }]);
  expect((await runYaml()).trainer).toMatchObject({ learningRate: 0.005, maxSteps: 26 });
});

test("without a change, none is recorded but that it went on", async () => {
  const before = await readFile(join(run, "run.yaml"), "utf8");
  await resumed(run);
  expect((await manifest()).resumed).toEqual([{ at: expect.any(String), step: expect.any(Number) }]);
  expect(await readFile(join(run, "run.yaml"), "utf8")).toBe(before);
});

test("a change that somebody wrote into run.yaml by hand is seen, too", async () => {
  const text = await readFile(join(run, "run.yaml"), "utf8");
  await writeFile(join(run, "run.yaml"), text.replace("weightDecay: 0.1", "weightDecay: 0.2"));
  const { told } = await resumed(run);
  expect(told[0]).toMatchObject({ changes: [{ path: "trainer.weightDecay", from: 0.1, to: 0.2 }] });
});

test("a package that has another version now is said", async () => {
  const path = join(run, "checkpoints", (await outcome(run)).checkpoint, "state.json");
  const saved = JSON.parse(await readFile(path, "utf8"));
  const text = JSON.stringify(saved.run).replaceAll("codex-ml@0.1.0", "codex-ml@0.0.9");
  const changed = JSON.parse(text);
  await writeFile(
    path,
    JSON.stringify({ ...saved, run: changed, runSha256: sha256(JSON.stringify(changed)) }),
  );
  const { told } = await resumed(run);
  expect(told[0]).toMatchObject({
    changes: expect.arrayContaining([
      { path: "model/gpt2", from: "codex-ml@0.0.9", to: expect.stringMatching(/^codex-ml@/) },
    ]),
  });
});

describe("refused with the reason, all at once", () => {
  test("another seed, other data, another tokenizer", async () => {
    const set = ["seed=8", "data.validation=0.2", "trainer.sequenceLength=8", "tokenizer.vocabSize=301"];
    const message = await refused({ set });
    expect(message).toMatch(/seed 7 → 8: .*\(--force seed\)/);
    expect(message).toMatch(/data\.validation 0\.1 → 0\.2: .*\(--force data\)/);
    expect(message).toMatch(/trainer\.sequenceLength \(none\) → 8: .*\(--force data\)/);
    expect(message).toMatch(/tokenizer\.vocabSize 300 → 301: .*\(--force tokenizer\)/);
    // Nothing was changed, and the directory is free.
    expect((await manifest()).resumed).toBeUndefined();
    await resumed(run);
  });

  test("a data file that changed since; by force it is taken, and recorded", async () => {
    await appendFile(join(folder, "data/corpus.txt"), "and one more line.\n");
    expect(await refused({})).toMatch(/not what the run was trained on.*--force data/);
    await resumed(run, { force: ["data"] });
    expect((await manifest()).resumed).toMatchObject([
      { forced: ["data"], changes: [{ path: "data fingerprint" }] },
    ]);
  });

  test("a model of another shape, which no force helps", async () => {
    expect(await refused({ set: ["model.hiddenSize=32"] })).toMatch(
      /the model's parameter ".*" is \(\d+, 32\), and \(\d+, 16\) in the checkpoint/,
    );
  });

  test("another kind of model or trainer", async () => {
    expect(await refused({ set: ["model={ name: llama }"] })).toMatch(
      /model\.name gpt2 → llama: that is another run/,
    );
  });

  test("a model's dropout is an option like others", async () => {
    const { told } = await resumed(run, { set: ["model.dropout=0.2"] });
    expect(told[0]).toMatchObject({ changes: [{ path: "model.dropout", from: 0.1, to: 0.2 }] });
  });
});

describe("a damaged checkpoint", () => {
  const newest = async () => join(run, "checkpoints", (await outcome(run)).checkpoint);

  test.each([
    ["cut", async (path: string) => truncate(path, 3000), /model\.safetensors: has 3000 bytes/],
    [
      "with a flipped bit",
      async (path: string) => {
        const bytes = await readFile(path);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4;
        await writeFile(path, bytes);
      },
      /model\.safetensors: its bytes are not those/,
    ],
    ["with a file missing", async (path: string) => rm(path), /model\.safetensors: is missing/],
  ])("%s is named, and the one before is used only when told", async (_, damage, says) => {
    const whole = await outcome(join(folder, "whole"));
    const folderOf = await newest();
    await damage(join(folderOf, "model.safetensors"));
    const resuming = resumed(run);
    await expect(resuming).rejects.toMatchObject({ code: "CHECKPOINT_DAMAGED" });
    await expect(resuming).rejects.toThrow(says);
    await expect(resuming).rejects.toThrow(/step-\d+, is whole: .*--fallback/);
    const again = await resumed(run, { fallback: true });
    expect(again.digests).toEqual(whole.digests);
    expect(again.rows).toEqual(whole.rows);
    expect(again.told[0]).toMatchObject({
      notes: [expect.stringMatching(/set aside as checkpoints\/step-\d+\.damaged/)],
    });
  });

  test("cut anywhere, no file passes for whole", async () => {
    const path = await newest();
    const file = join(path, "optimizer.safetensors");
    const bytes = await readFile(file);
    for (let length = 0; length < bytes.length; length += 997) {
      await writeFile(file, bytes.subarray(0, length));
      await expect(readCheckpoint(path)).rejects.toMatchObject({ code: "CHECKPOINT_DAMAGED" });
    }
  });

  test("one from a newer version says so", async () => {
    const path = join(await newest(), "state.json");
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), format: 3 }));
    await expect(resumed(run)).rejects.toThrow(/A newer version wrote it: update codex-ml/);
  });
});

test("a run directory that was moved away from its data is told where that is by `directory`", async () => {
  const away = join(folder, "a b/ç/走/run");
  await mkdir(dirname(away), { recursive: true });
  await rename(run, away);
  await expect(resumed(away)).rejects.toMatchObject({ code: "RUN_FILE" });
  const whole = await outcome(join(folder, "whole"));
  expect((await resumed(away, { set: [`directory=${folder}`] })).digests).toEqual(whole.digests);
});
