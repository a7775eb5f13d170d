import { appendFileSync, readFileSync, truncateSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { crc32c } from "../../src/tracking/crc32c.ts";
import { hasEventFiles, tensorBoard } from "../../src/tracking/tensorboard.ts";
import type { ResumeEvent, RunEvent, StartEvent, StepEvent } from "../../src/trainers/index.ts";
import { eventFiles, readers, readHere } from "./event-files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "codex-ml-tensorboard-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const start: StartEvent = { type: "start", run: "moby-dick", parameters: 1, components: [] };
const resumeAt = (step: number): ResumeEvent => ({ ...start, type: "resume", step, changes: [] });
const step = (number: number, loss = 10 - number): StepEvent => ({
  type: "step",
  step: number,
  loss,
  learningRate: 2 ** -10,
  gradientNorm: 1.5,
  tokens: 64,
  tokensPerSecond: 1000,
});

function tell(events: readonly RunEvent[], options: Parameters<typeof tensorBoard>[1] = {}): void {
  const tracker = tensorBoard(folder, options);
  for (const event of events) tracker.event(event);
  tracker.close();
}

test.each([
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 times 255", new Uint8Array(32).fill(255), 0x62a8ab43],
  ["0 to 31", Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd794e],
  ["31 to 0", Uint8Array.from({ length: 32 }, (_, at) => 31 - at), 0x113fdb5c],
  ["nothing", new Uint8Array(), 0],
])("CRC-32C of %s is that of RFC 3720, B.4", (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test("a file has the bytes that TensorBoard's own writer makes of the same events", async () => {
  // tests/golden/tensorboard.bin: written by tests/golden/tensorboard.py with tensorboard 2.21.0.
  const golden = readFileSync(new URL("../golden/tensorboard.bin", import.meta.url));
  await writeFile(join(folder, "events.out.tfevents.0000000001.earlier.1"), "");
  tell(
    [
      resumeAt(299),
      {
        ...step(300, 6.9375),
        learningRate: 1e-5,
        gradientNorm: 3.1,
        tokensPerSecond: 37_000,
        seconds: { data: 0.001, forwardBackward: 0.05, update: 0.01, saving: 0.002 },
      },
      {
        type: "system",
        step: 300,
        rss: 3e8,
        heapUsed: 2e7,
        availableMemory: 8e9,
        cpuPercent: 187,
      },
      {
        type: "evaluation",
        step: 300,
        split: "validation",
        loss: 3.1,
        // A matrix is no curve.
        metrics: { perplexity: Number.NaN, f1: { macro: 0.5 }, confusion: { ham: { ham: 1, spam: 2 } } },
        tokens: 1,
        seconds: 1,
      },
      { type: "sample", step: 300, prompt: "Call me", text: " Ishmæl.\n" },
      { type: "checkpoint", step: 300, path: "checkpoints/step-000300" },
      { type: "end", step: 300, reason: "maxSteps" },
    ],
    { now: () => 1_700_000_000_250, host: "host", pid: 7 },
  );
  expect(eventFiles(folder)[1]).toBe("events.out.tfevents.1700000000.host.7");
  expect(readFileSync(join(folder, eventFiles(folder)[1] ?? ""))).toEqual(golden);
});

describe.each(readers)("%s", (_, read) => {
  test("reads every scalar and text at its step", () => {
    tell([start, step(1), step(2), { type: "sample", step: 2, prompt: "a <b>", text: "*c*\n\n  d" }]);
    expect(read(folder)).toEqual({
      scalars: {
        "train/loss": [
          [1, 9],
          [2, 8],
        ],
        "train/learning_rate": [1, 2].map((at) => [at, 2 ** -10]),
        "train/grad_norm": [1, 2].map((at) => [at, 1.5]),
        "train/tokens_per_second": [1, 2].map((at) => [at, 1000]),
      },
      texts: { sample: [[2, "    a <b>*c*\n    \n      d"]] },
    });
  });

  test("sees no step twice of a run that was killed after its checkpoint, though the clock went back", () => {
    const now = Date.now();
    tell([start, ...[1, 2, 3, 4, 5].map((number) => step(number))], { now: () => now });
    tell([resumeAt(3), step(4, 0.25), step(5, 0.5), step(6, 0.75)], { now: () => now - 3_600_000 });
    tell([resumeAt(5), step(6, 0.125)], { now: () => now - 7_200_000 });
    expect(eventFiles(folder)).toHaveLength(3);
    expect(read(folder).scalars["train/loss"]).toEqual([
      ...[
        [1, 9],
        [2, 8],
        [3, 7],
      ],
      ...[
        [4, 0.25],
        [5, 0.5],
        [6, 0.125],
      ],
    ]);
  });

  test("sees nothing of a run that begins again", () => {
    tell([start, step(1), step(2)]);
    tell([start, step(1, 0.5)]);
    expect(read(folder).scalars["train/loss"]).toEqual([[1, 0.5]]);
  });

  test("goes past a record that a crash tore", () => {
    tell([start, step(1), step(2)]);
    const [first = ""] = eventFiles(folder);
    const path = join(folder, first);
    truncateSync(path, readFileSync(path).length - 5);
    tell([resumeAt(1), step(2, 0.5)]);
    expect(read(folder).scalars["train/loss"]).toEqual([
      [1, 9],
      [2, 0.5],
    ]);
  });
});

test("a byte that is another is noticed", () => {
  tell([start, step(1)]);
  const [first = ""] = eventFiles(folder);
  appendFileSync(join(folder, first), Buffer.alloc(16));
  expect(() => readHere(folder)).toThrow(/checksums/);
});

test("a folder says whether it has such files", () => {
  expect(hasEventFiles(folder)).toBe(false);
  tell([start]);
  expect(hasEventFiles(folder)).toBe(true);
});

test("a folder that cannot be written to is an error with the file's path", async () => {
  const tracker = tensorBoard(folder);
  await rm(folder, { recursive: true });
  expect(() => tracker.event(start)).toThrow(/cannot write to .*codex-ml-tensorboard-/);
});
