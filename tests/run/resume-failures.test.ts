/** Runs that fail in the middle keep what was learned, say what failed, and go on once it is mended. */
import { renameSync, writeFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { StreamingMetric } from "../../src/metrics/index.ts";
import type { RunConfigInput } from "../../src/run/config.ts";
import { train } from "../../src/run/train.ts";
import type { RunEvent } from "../../src/trainers/index.ts";
import { outcome } from "../run-outcome.ts";
import { everything, newFolder, removeFolders, resumed, trained } from "./stopping.ts";

afterEach(removeFolders);

/** Reads a run to its failure. */
async function failed(config: RunConfigInput, out: string, options: Parameters<typeof train>[1] = {}) {
  const events: RunEvent[] = [];
  let error: unknown;
  try {
    for await (const event of await train(config, { out, ...options })) events.push(event);
  } catch (cause) {
    error = cause;
  }
  return { events, error, message: error instanceof Error ? error.message : "" };
}

/** Counts labels; fails when it is asked for the `failing`-th time. */
class CountingMetric implements StreamingMetric {
  readonly reads = [] as const;
  readonly #failing: number;
  #asked = 0;
  #count = 0;

  constructor(failing: number) {
    this.#failing = failing;
  }

  reset(): void {
    this.#count = 0;
  }

  update({ labels }: { readonly labels: ArrayLike<number> }): void {
    this.#count += labels.length;
  }

  compute(): number {
    this.#asked++;
    if (this.#asked === this.#failing) throw new RangeError("cannot count so far");
    return this.#count;
  }

  state(): object {
    return {};
  }

  merge(): void {}
}

test("a metric that throws stops the run; mended, it goes on with the evaluation that failed", async () => {
  const folder = await newFolder();
  const config = (failing: number) => ({
    ...everything(folder),
    metrics: [new CountingMetric(failing)],
  });
  const whole = await trained(config(0), join(folder, "whole"));
  const run = join(folder, "failed");
  const { message, events } = await failed(config(3), run);
  expect(message).toMatch(/The metric "CountingMetric".* failed: cannot count so far/);
  expect(events.filter(({ type }) => type === "evaluation")).toHaveLength(2);
  const again = await resumed(run, { replace: { metrics: [new CountingMetric(0)] } });
  expect(again.digests).toEqual(whole.digests);
  expect(again.rows).toEqual(whole.rows);
});

test("a listener that throws stops the run; what was learned is saved, and it goes on", async () => {
  const folder = await newFolder();
  const whole = await trained(everything(folder), join(folder, "whole"));
  const run = join(folder, "failed");
  const listener = {
    event: (event: RunEvent) => {
      if (event.type === "step" && event.step === 11) throw new Error("the listener broke");
    },
    close: () => {},
  };
  const { message } = await failed(everything(folder), run, { trackers: [listener] });
  expect(message).toBe('trackers[0] failed at the event "step" of step 11: Error: the listener broke');
  expect((await outcome(run)).checkpoint).toBe("step-000011");
  const again = await resumed(run);
  expect(again.digests).toEqual(whole.digests);
  expect(again.rows).toEqual(whole.rows);
});

test("a program that stops reading the events has its run saved", async () => {
  const folder = await newFolder();
  const run = join(folder, "left");
  for await (const event of await train(everything(folder), { out: run }))
    if (event.type === "step" && event.step === 10) break;
  expect((await outcome(run)).checkpoint).toBe("step-000010");
  const whole = await trained(everything(folder), join(folder, "whole"));
  expect((await resumed(run)).digests).toEqual(whole.digests);
});

test("checkpoints that cannot be written stop the run; the ones before are kept, and it goes on from there", async () => {
  const folder = await newFolder();
  const whole = await trained(everything(folder), join(folder, "whole"));
  const run = join(folder, "failed");
  const aside = join(run, "aside");
  const listener = {
    event: (event: RunEvent) => {
      if (event.type !== "checkpoint" || event.step !== 8) return;
      renameSync(join(run, "checkpoints"), aside);
      writeFileSync(join(run, "checkpoints"), "in the way");
    },
    close: () => {},
  };
  const { error, message } = await failed(everything(folder), run, { trackers: [listener] });
  expect(error).toMatchObject({ code: "CHECKPOINT_SAVE" });
  expect(message).toMatch(/Earlier checkpoints are untouched/);
  await rm(join(run, "checkpoints"));
  await rename(aside, join(run, "checkpoints"));
  const again = await resumed(run);
  expect(again.digests).toEqual(whole.digests);
  expect(again.rows).toEqual(whole.rows);
});

/** Learns so fast that a loss overflows after a few steps. */
const exploding = { learningRate: 1e30, warmupSteps: 0, maxGradNorm: 0, metricForBestModel: undefined };

function withExplosion(folder: string, more: object = {}): RunConfigInput {
  const { metricForBestModel: _, ...trainer } = everything(folder).trainer;
  const { metricForBestModel: __, ...given } = exploding;
  return {
    ...everything(folder),
    trainer: { ...trainer, ...given, evalSteps: 1000, saveSteps: 1, ...more },
  };
}

test("a loss that is not finite stops the run, naming step and examples; the last good checkpoint is kept", async () => {
  const folder = await newFolder();
  const { error, message, events } = await failed(withExplosion(folder), join(folder, "run"));
  expect(error).toMatchObject({ code: "NOT_FINITE" });
  const last = events.findLast(({ type }) => type === "step");
  const step = last?.type === "step" ? last.step : 0;
  expect(message).toMatch(new RegExp(`^Step ${step + 1}: `));
  expect(message).toMatch(/It came with the training examples \d+ to \d+ of epoch \d+/);
  const saved = events.filter(({ type }) => type === "checkpoint");
  for (const event of saved) if (event.type === "checkpoint") expect(event.step).toBeLessThanOrEqual(step);
});

test("with nonFiniteLoss: skip such batches are passed over and said, but not without end", async () => {
  const folder = await newFolder();
  const { error, events } = await failed(
    withExplosion(folder, { nonFiniteLoss: "skip" }),
    join(folder, "run"),
  );
  expect(error).toMatchObject({ code: "NOT_FINITE" });
  const said = events.filter((event) => event.type === "warning" && event.code === "SKIPPED");
  expect(said).toHaveLength(10);
  expect(said[0]).toMatchObject({
    message: expect.stringMatching(
      /training examples \d+ to \d+.*\n.*\nThese batches are skipped; so far 1 update was, 1 of them in a row\.$/,
    ),
  });
});
