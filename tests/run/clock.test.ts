/** The clock of the machine is set back while a run goes on: by a day with every event. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { resume } from "../../src/run/resume.ts";
import { train } from "../../src/run/train.ts";
import type { RunEvent } from "../../src/trainers/index.ts";
import { outcome } from "../run-outcome.ts";
import { eventFiles, readers } from "../tracking/event-files.ts";
import { everything, newFolder, removeFolders } from "./stopping.ts";

const day = 24 * 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-06-01T12:00:00Z") });
});
afterEach(async () => {
  vi.useRealTimers();
  await removeFolders();
});

/** Runs to the end, and sets the clock back at each event. */
async function backwards(run: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run) {
    events.push(event);
    vi.setSystemTime(Date.now() - day);
  }
  return events;
}

test("speeds, times and saving by time go on, for they go by a clock that nobody sets", async () => {
  const folder = await newFolder();
  const out = join(folder, "run");
  // Every millisecond or so: after each step, as far as the one before is saved.
  const events = await backwards(
    await train(
      everything(folder, { saveSteps: undefined, saveMinutes: 1e-5, metricForBestModel: undefined }),
      { out },
    ),
  );
  for (const event of events) {
    if (event.type === "step") {
      expect(event.tokensPerSecond).toBeGreaterThan(0);
      for (const seconds of Object.values(event.seconds ?? {})) expect(seconds).toBeGreaterThanOrEqual(0);
    }
    if (event.type === "evaluation") expect(event.seconds).toBeGreaterThan(0);
    if (event.type === "system") expect(event.cpuPercent).toBeGreaterThanOrEqual(0);
  }
  expect(events.filter(({ type }) => type === "checkpoint").length).toBeGreaterThan(5);
  expect(events.at(-1)).toEqual({ type: "end", step: 24, reason: "maxSteps" });
});

test("a run that goes on a month before it began has the same weights, and each step once for TensorBoard", async () => {
  const folder = await newFolder();
  const config = everything(folder);
  await backwards(await train(config, { out: join(folder, "whole") }));
  const out = join(folder, "run");
  const stopped = await train(config, { out });
  await backwards(stopped.on("step", ({ step }) => step === 10 && stopped.stop()));
  vi.setSystemTime(Date.now() - 30 * day);
  await backwards(await resume(out));
  expect(await outcome(out)).toMatchObject({ digests: (await outcome(join(folder, "whole"))).digests });
  expect(eventFiles(out)).toHaveLength(2);
  for (const [, read] of readers) {
    const steps = read(out).scalars["train/loss"]?.map(([step]) => step);
    expect(steps).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
  }
});
