/** The room that checkpoints take is known exactly before the first step, whatever the optimizer, and checked. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { train } from "../../src/run/train.ts";
import type { RunEvent } from "../../src/trainers/index.ts";
import { ofType } from "../cli/project.ts";
import { copyOf, everything, newFolder, removeFolders, resumed } from "./stopping.ts";

afterEach(removeFolders);

test.each([
  ["adamw", {}],
  ["sgd without momentum", { optim: "sgd" }],
  ["sgd with momentum", { optim: { name: "sgd", momentum: 0.9 } }],
  ["lion", { optim: "lion" }],
  ["adafactor", { optim: "adafactor" }],
  ["muon", { optim: "muon" }],
  ["parameters that are frozen", { freeze: ["transformer.wte.*", "transformer.h.0.*"] }],
])("%s", async (_, trainer) => {
  const folder = await newFolder();
  const config = everything(folder, { maxSteps: 2, saveTotalLimit: 5, sampleTokens: 0, ...trainer });
  const events: RunEvent[] = [];
  for await (const event of await train(config, { out: join(folder, "run") })) events.push(event);
  const size = async (file: string) => (await stat(join(folder, "run/checkpoints/step-000002", file))).size;
  const checkpoint = (await size("model.safetensors")) + (await size("optimizer.safetensors"));
  // Six with that of the best evaluation, and the one being written.
  expect(events[0]).toMatchObject({ type: "start", disk: { checkpoint, kept: 6, needed: 7 * checkpoint } });
});

test("a run whose checkpoints the disk could not take is refused before its first step, with both numbers", async () => {
  const folder = await newFolder();
  const run = await train(everything(folder, { saveTotalLimit: 1e9 }), { out: join(folder, "run") });
  const events: RunEvent[] = [];
  const reading = (async () => {
    for await (const event of run) events.push(event);
  })();
  await expect(reading).rejects.toMatchObject({
    code: "CHECKPOINT_SAVE",
    message: expect.stringMatching(
      /keeps 1000000001 checkpoints of 0\.\d MB and writes one more beside them, \d+ MB to come, but the disk of .* has room for \d+ MB.*saveTotalLimit/,
    ),
  });
  expect(ofType(events, "step")).toEqual([]);
  expect(existsSync(join(folder, "run/checkpoints"))).toBe(false);
});

test("a run that goes on counts what is there already", async () => {
  const folder = await newFolder();
  const run = join(folder, "run");
  let disk = { checkpoint: 0, needed: 0 };
  for await (const event of await train(everything(folder, { metricForBestModel: undefined }), {
    out: run,
  })) {
    if (event.type === "start") disk = event.disk ?? disk;
    if (event.type === "checkpoint" && event.step === 8) await copyOf(run, "killed");
  }
  expect(disk.needed).toBe(3 * disk.checkpoint);
  const [first] = (await resumed(join(folder, "killed"))).told;
  expect(first).toMatchObject({ type: "resume", disk: { kept: 2, needed: disk.checkpoint } });
});
