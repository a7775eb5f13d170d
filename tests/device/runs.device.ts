/** Whole runs on a device: what they write, and how they go on. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { deviceUse } from "../../src/run/device.ts";
import { loadRun } from "../../src/run/loaded-run.ts";
import { Program } from "../../src/runtime/index.ts";
import { input, mul } from "../../src/tensor/index.ts";
import { copyOf, everything, newFolder, removeFolders, resumed, trained } from "../run/stopping.ts";
import { found } from "./devices.ts";

afterAll(removeFolders);

describe.each(found)("%s", (name, device) => {
  test("a run that was stopped goes on to the same bytes, and on the CPU says so", async () => {
    const folder = await newFolder();
    const config = { ...everything(folder, { maxSteps: 10, sampleSteps: 6 }), device: name };
    const run = join(folder, "whole");
    const whole = await trained(config, run, async (event) => {
      if (event.type !== "step" || event.step !== 6) return;
      await copyOf(run, "killed");
      await copyOf(run, "moved");
    });
    const manifest = JSON.parse(await readFile(join(run, "manifest.json"), "utf8"));
    expect(manifest.device).toBe(device.label);
    const again = await resumed(join(folder, "killed"));
    expect(again.digests).toEqual(whole.digests);
    expect(again.rows).toEqual(whole.rows);

    const moved = await resumed(join(folder, "moved"), { set: ["device=cpu"] });
    expect(moved.told[0]).toMatchObject({
      type: "resume",
      changes: expect.arrayContaining([{ path: "device", from: device.label, to: "cpu" }]),
    });
    expect(moved.checkpoint).toBe(whole.checkpoint);
  });

  test("nodes that are left to the CPU are told", () => {
    const use = deviceUse(device);
    // WebGPU has no float64.
    const x = input("x", "float64", [4]);
    new Program({ inputs: [x], outputs: { y: mul(x, x) } }, {}, { device });
    const told = [{ type: "warning", code: "ON_CPU", message: expect.stringMatching(/1 nodes .*: Mul 1$/) }];
    expect(use()).toEqual(name === "webgpu" ? told : []);
  });

  test("a run learns there what it learns on the CPU, and is evaluated on either", async () => {
    const folder = await newFolder();
    const config = everything(folder, { maxSteps: 12, sampleTokens: 0 });
    await trained({ ...config, device: name }, join(folder, "there"));
    await trained(config, join(folder, "here"));
    const losses = [];
    for (const [run, on] of [
      ["there", name],
      ["there", "cpu"],
      ["here", "cpu"],
    ] as const)
      losses.push(
        (await (await loadRun(join(folder, run), { checkpoint: "last", device: on })).evaluate()).loss,
      );
    const [there, moved, here] = losses as [number, number, number];
    expect(moved).toBeCloseTo(there, 5);
    expect(here).toBeCloseTo(there, 2);
  });
});
