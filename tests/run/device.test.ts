/** `device` of a run file, on a machine without any: what is written down, and what is said when it changes. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { sha256 } from "../../src/run/checkpoint-files.ts";
import { deviceUse } from "../../src/run/device.ts";
import { RunFileError } from "../../src/run/problems.ts";
import { loadRunFile } from "../../src/run/run-file.ts";
import { cpuDevice, Program, TensorBuffer } from "../../src/runtime/index.ts";
import { input, mul } from "../../src/tensor/index.ts";
import { outcome } from "../run-outcome.ts";
import { everything, newFolder, removeFolders, resumed, trained } from "./stopping.ts";

afterEach(removeFolders);

test("a device that there is not is a problem of the file, with what is known", async () => {
  const path = join(await newFolder(), "run.yaml");
  const rest = "tokenizer: byte\ndata: text\nmodel: gpt2\ntrainer: causal_lm\n";
  await writeFile(path, `device: webgpuu\n${rest}`);
  const error: unknown = await loadRunFile(path).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(RunFileError);
  expect((error as RunFileError).problems).toMatchObject([
    {
      line: 1,
      column: 9,
      message: 'expected one of cpu, auto, cuda, webgpu, got "webgpuu"',
      closest: "webgpu",
    },
  ]);
  await writeFile(path, rest);
  expect((await loadRunFile(path)).config.device).toBe("cpu");
});

test("what a device is used for: not at all, or for all", async () => {
  const device = cpuDevice();
  // A copy compiles its graph when it is first needed; the trainer's graphs are what counts.
  new TensorBuffer({ dtype: "float32", shape: [1], data: Float32Array.of(1), device });
  const use = deviceUse(device);
  expect(use()).toMatchObject([
    { type: "warning", code: "DEVICE_UNUSED", message: expect.stringContaining("`context.device`") },
  ]);
  const x = input("x", "float32", [1]);
  new Program({ inputs: [x], outputs: { y: mul(x, x) } }, {}, { device });
  expect(use()).toEqual([]);
});

test("the directory has what was asked for and what was used; going on elsewhere is said", async () => {
  const folder = await newFolder();
  const run = join(folder, "run");
  await trained(everything(folder, { maxSteps: 8, sampleTokens: 0 }), run);
  expect(await readFile(join(run, "run.yaml"), "utf8")).toMatch(/^device: cpu$/m);
  const manifest = async () => JSON.parse(await readFile(join(run, "manifest.json"), "utf8"));
  expect((await manifest()).device).toBe("cpu");

  // As if it had been on a GPU.
  const path = join(run, "checkpoints", (await outcome(run)).checkpoint, "state.json");
  const saved = JSON.parse(await readFile(path, "utf8"));
  expect(saved.run.device).toBeUndefined();
  const moved = { ...saved.run, device: "cuda (NVIDIA H100)" };
  await writeFile(path, JSON.stringify({ ...saved, run: moved, runSha256: sha256(JSON.stringify(moved)) }));
  const { told } = await resumed(run, { set: ["trainer.maxSteps=10"] });
  const change = { path: "device", from: "cuda (NVIDIA H100)", to: "cpu" };
  expect(told[0]).toMatchObject({ type: "resume", changes: expect.arrayContaining([change]) });
  expect((await manifest()).resumed).toMatchObject([{ changes: expect.arrayContaining([change]) }]);
});
