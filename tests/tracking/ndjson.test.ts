import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  eventLine,
  ndjsonFile,
  ndjsonStream,
  parseEventLine,
  readEvents,
  TrackingError,
} from "../../src/tracking/ndjson.ts";
import { sampleFiles } from "../../src/tracking/samples.ts";
import type { RunEvent } from "../../src/trainers/index.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "codex-ml-tracking-"));
  path = join(folder, "metrics.ndjson");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const step = (number: number, loss = 1): RunEvent => ({
  type: "step",
  step: number,
  loss,
  learningRate: 1e-3,
  gradientNorm: 1,
  tokens: 64,
  tokensPerSecond: 1000,
});

async function read(): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of readEvents(path)) events.push(event);
  return events;
}

describe("an event as a line", () => {
  test("is the JSON of the documentation", () => {
    expect(eventLine({ type: "end", step: 1000, reason: "maxSteps" })).toBe(
      '{"type":"end","step":1000,"reason":"maxSteps"}',
    );
  });

  test("any event comes back, with NaN, infinities, and text that looks like them", () => {
    const number = fc
      .oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY))
      .map((x) => x + 0);
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("NaN", "Infinity", "\u2028", "\n"));
    const metrics = fc.dictionary(text, fc.oneof(number, fc.dictionary(text, number)));
    const event: fc.Arbitrary<RunEvent> = fc.oneof(
      fc.record({
        type: fc.constant("step" as const),
        step: fc.nat(),
        loss: number,
        learningRate: number,
        gradientNorm: number,
        tokens: fc.nat(),
        tokensPerSecond: number,
      }),
      fc.record({
        type: fc.constant("evaluation" as const),
        step: fc.nat(),
        split: fc.constant("validation" as const),
        loss: number,
        metrics,
        tokens: fc.nat(),
        seconds: number,
      }),
      fc.record({ type: fc.constant("sample" as const), step: fc.nat(), prompt: text, text }),
    );
    fc.assert(
      fc.property(event, (original) => {
        const line = eventLine(original);
        expect(line).not.toContain("\n");
        // JSON writes −0 as 0, which to a reader of logs is the same.
        expect(parseEventLine(line)).toEqual(positiveZero(original));
      }),
    );
  });

  function positiveZero<Value>(value: Value): Value {
    if (typeof value === "number") return (value === 0 ? 0 : value) as Value;
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [key, positiveZero(entry)]),
    ) as Value;
  }
});

describe("a file of events", () => {
  test("has each event on disk as soon as it happened", async () => {
    const tracker = ndjsonFile(path);
    for (const number of [1, 2]) {
      tracker.event(step(number));
      expect(await read()).toHaveLength(number);
    }
    await tracker.close();
    await tracker.close();
    expect(() => tracker.event(step(3))).toThrow("is closed");
  });

  test("is appended to, never begun anew", async () => {
    for (const number of [1, 2]) {
      const tracker = ndjsonFile(path);
      tracker.event(step(number));
      await tracker.close();
    }
    expect((await read()).map((event) => "step" in event && event.step)).toEqual([1, 2]);
  });

  test.each([
    ["half a line", `${eventLine(step(1))}\n{"type":"st`, 1],
    ["the line break alone", `${eventLine(step(1))}\n${eventLine(step(2))}`, 1],
    ["half of its only line", '{"type"', 0],
    ["a line longer than a block", `${eventLine(step(1))}\n{"x":"${"y".repeat(200_000)}`, 1],
    ["nothing", `${eventLine(step(1))}\n`, 1],
    ["everything", "", 0],
  ])("goes on after a crash that tore %s", async (_, text, whole) => {
    await writeFile(path, text);
    expect(await read()).toHaveLength(whole);
    const tracker = ndjsonFile(path);
    tracker.event(step(2));
    await tracker.close();
    expect(await read()).toHaveLength(whole + 1);
    expect(await readFile(path, "utf8")).not.toContain('"st{');
  });

  test.each([
    ["{broken\n", /metrics\.ndjson:2: SyntaxError/],
    ["5\n", /metrics\.ndjson:2: TypeError: not an event/],
    ["{broken\n{broken too", /metrics\.ndjson:2: /],
  ])("with a broken line that no crash made, %j, is refused by line", async (tail, message) => {
    await writeFile(path, `${eventLine(step(1))}\n`);
    await appendFile(path, tail);
    await expect(read()).rejects.toThrow(message);
    await expect(read()).rejects.toBeInstanceOf(TrackingError);
  });

  test("that is not there is an error with its path", async () => {
    await expect(read()).rejects.toThrow(/cannot read .*metrics\.ndjson/);
    expect(() => ndjsonFile(join(folder, "absent/metrics.ndjson"))).toThrow(/cannot open .*absent/);
  });
});

test("a stream gets one write a line", () => {
  const writes: string[] = [];
  const tracker = ndjsonStream({ write: (text) => writes.push(text) });
  tracker.event(step(1));
  tracker.event({ type: "end", step: 1, reason: "interrupted" });
  expect(writes).toEqual([`${eventLine(step(1))}\n`, '{"type":"end","step":1,"reason":"interrupted"}\n']);
});

test("samples are kept as text files", async () => {
  const tracker = sampleFiles(join(folder, "samples"));
  tracker.event(step(1));
  tracker.event({ type: "sample", step: 250, prompt: "Call me", text: " Ishmael." });
  expect(await readFile(join(folder, "samples/step-000250.txt"), "utf8")).toBe("Call me Ishmael.\n");
  await writeFile(join(folder, "file"), "");
  expect(() =>
    sampleFiles(join(folder, "file")).event({ type: "sample", step: 1, prompt: "", text: "" }),
  ).toThrow(/cannot write .*file.step-000001\.txt/);
});
