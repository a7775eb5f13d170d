/** What earlier versions wrote is still read; what a later one wrote is refused, and says so. `make.ts` wrote the folders. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CACHE_FORMAT, DamagedEntry, readEntry } from "../../src/data-loaders/records/cache-entry.ts";
import { checkRun } from "../../src/run/check-run.ts";
import { loadRun } from "../../src/run/loaded-run.ts";
import { resume } from "../../src/run/resume.ts";
import { loadRunFile } from "../../src/run/run-file.ts";
import { train } from "../../src/run/train.ts";
import { readEvents } from "../../src/tracking/index.ts";
import type { RunEvent } from "../../src/trainers/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "codex-ml-formats-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Replaces text in a file of the copy, and fails when there is nothing to replace. */
async function edit(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(folder, path), "utf8");
  expect(text).toContain(from);
  await writeFile(join(folder, path), text.replace(from, to));
}

const versions = (await readdir(import.meta.dirname)).filter((name) => /^v\d+$/.test(name));

describe.each(versions)("%s", (version) => {
  beforeEach(() => cp(join(import.meta.dirname, version), folder, { recursive: true }));
  const expected = async () => JSON.parse(await readFile(join(folder, "expected.json"), "utf8"));

  test.each(["run.yaml", "run.json", "changes.yaml", "run/run.yaml"])("the run file %s", async (name) => {
    const { components } = await checkRun(join(folder, name));
    expect(components.origins.map((origin) => origin.name)).toEqual(
      expect.arrayContaining(["bpe", "text", "gpt2", "causal_lm", "perplexity", "token_accuracy"]),
    );
  });

  test("a run is evaluated to what it was, and writes", async () => {
    const run = await loadRun(join(folder, "run"));
    const { loss, metrics, ids } = await expected();
    expect([...run.tokenizer.encode("the cat watches the dog.")]).toEqual(ids);
    const now = await run.evaluate();
    expect(now.loss).toBeCloseTo(loss, 4);
    expect(now.metrics.perplexity).toBeCloseTo(metrics.perplexity, 1);
    expect(now.metrics.token_accuracy).toBeCloseTo(metrics.token_accuracy, 1);
    let text = "";
    for await (const piece of run.generate("the", { maxNewTokens: 8, seed: 1 })) text += piece;
    expect(text).not.toBe("");
  });

  test("damage to its weights is found", async () => {
    const path = join(folder, "run", "checkpoints", "step-000002", "model.safetensors");
    const bytes = await readFile(path);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const digest = version === "v1" ? "SHA-256" : "CRC-32";
    const message = new RegExp(
      `model\\.safetensors: its bytes are not those that were written \\(${digest} differs\\)`,
    );
    await expect(loadRun(join(folder, "run"))).rejects.toThrow(message);
  });

  test("a run goes on", async () => {
    const run = await resume(join(folder, "run"), { set: ["trainer.maxSteps=4"] });
    const events: RunEvent[] = [];
    for await (const event of run) events.push(event);
    expect(events.flatMap((event) => (event.type === "step" ? [event.step] : []))).toEqual([3, 4]);
    expect(events.at(-1)).toMatchObject({ type: "end", step: 4 });
  });

  test("a run starts from it", async () => {
    const set = [
      `model={ name: gpt2, from: ${join(folder, "run")} }`,
      `tokenizer={ name: bpe, from: ${join(folder, "run")} }`,
    ];
    const run = await train(join(folder, "run.yaml"), { set, out: join(folder, "second") });
    const steps: number[] = [];
    for await (const event of run) if (event.type === "step") steps.push(event.step);
    expect(steps).toEqual([1, 2]);
  });

  test("events are read", async () => {
    const types = [];
    for await (const { type } of readEvents(join(folder, "run", "metrics.ndjson"))) types.push(type);
    expect(types).toEqual(
      expect.arrayContaining(["start", "step", "evaluation", "sample", "checkpoint", "end"]),
    );
  });

  test("a cache of tokens is read", async () => {
    const [entry] = await readdir(join(folder, "cache"));
    const stored = await readEntry(join(folder, "cache", entry ?? ""));
    expect([...(stored?.items.keys() ?? [])]).toEqual(["train"]);
    expect(stored?.findings.empty).toBe(0);
  });
});

describe("what a later version wrote", () => {
  const newest = versions.at(-1) ?? "v1";
  beforeEach(() => cp(join(import.meta.dirname, newest), folder, { recursive: true }));
  const adviceFor = (known: number) =>
    new RegExp(
      `has the format 99; this version of codex-ml reads ${known}\\. A newer version wrote it: update codex-ml`,
    );
  const advice = adviceFor(1);

  test("as a run file is refused, and nothing else is said of it", async () => {
    await writeFile(join(folder, "run.yaml"), "format: 99\nnew_key: 1\nmodel: { of: tomorrow }\n");
    const refused = await loadRunFile(join(folder, "run.yaml")).catch((error: Error) => error);
    expect(refused).toMatchObject({ message: expect.stringMatching(/run\.yaml:1:9: format: has/) });
    expect(refused).toMatchObject({ message: expect.stringMatching(advice), problems: { length: 1 } });
    // The run file that extends it is refused, too, and the place is that of the base.
    await expect(loadRunFile(join(folder, "changes.yaml"))).rejects.toThrow(/run\.yaml:1:9: format: has/);
  });

  test("as a run directory is refused", async () => {
    await edit("run/manifest.json", '"format": 1', '"format": 99');
    await expect(loadRun(join(folder, "run"))).rejects.toThrow(advice);
    await expect(resume(join(folder, "run"))).rejects.toThrow(/manifest\.json has the format 99/);
  });

  test("as a checkpoint is refused", async () => {
    await edit("run/checkpoints/step-000002/state.json", '"format": 2', '"format": 99');
    await expect(loadRun(join(folder, "run"))).rejects.toThrow(adviceFor(2));
    await expect(resume(join(folder, "run"))).rejects.toThrow(adviceFor(2));
  });

  test("as a cache is not read: it is made anew", async () => {
    const [entry = ""] = await readdir(join(folder, "cache"));
    await edit(`cache/${entry}/manifest.json`, `"format":${CACHE_FORMAT}`, '"format":99');
    await expect(readEntry(join(folder, "cache", entry))).rejects.toThrow(DamagedEntry);
  });
});
