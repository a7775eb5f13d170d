/** What a program does with a run as it goes: callbacks, stopping, and what happens when its own code throws. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Callback, CallbackError } from "../../src/run/callbacks.ts";
import { earlyStopping } from "../../src/run/early-stopping.ts";
import { resume } from "../../src/run/resume.ts";
import type { Run } from "../../src/run/run.ts";
import { type TrainOptions, train } from "../../src/run/train.ts";
import type { RunEvent } from "../../src/trainers/index.ts";
import { outcome } from "../run-outcome.ts";
import { everything, newFolder, removeFolders } from "./stopping.ts";

afterEach(removeFolders);

async function newRun(options: TrainOptions = {}, trainer: Readonly<Record<string, unknown>> = {}) {
  const folder = await newFolder();
  const out = join(folder, "run");
  const config = { ...everything(folder, trainer), metrics: ["perplexity"] };
  return { out, run: await train(config, { out, ...options }) };
}

/** All events to the end, and the error that was thrown then. */
async function drain(run: Run): Promise<{ events: RunEvent[]; error: unknown }> {
  const events: RunEvent[] = [];
  try {
    for await (const event of run) events.push(event);
  } catch (error) {
    return { events, error };
  }
  return { events, error: undefined };
}

describe("callbacks", () => {
  test("are called with the events of their type, in order, before whoever reads the run, and waited for", async () => {
    const calls: string[] = [];
    const slow: Callback = {
      evaluation: async ({ step, loss }) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        calls.push(`first ${step} ${Number.isFinite(loss)}`);
      },
    };
    const { run } = await newRun({ callbacks: [slow] }, { maxSteps: 10 });
    run
      .on("evaluation", ({ step }) => calls.push(`second ${step}`))
      .on("end", ({ reason }) => calls.push(reason));
    for await (const event of run) if (event.type === "evaluation") calls.push(`reader ${event.step}`);
    expect(calls).toEqual([
      ...["first 5 true", "second 5", "reader 5", "first 10 true", "second 10", "reader 10"],
      "maxSteps",
    ]);
  });

  test("change nothing of what is learned", async () => {
    const plain = await newRun();
    await plain.run.finish();
    const watched = await newRun({ callbacks: [{ step: () => {}, system: () => {} }] });
    await watched.run.finish();
    expect(await outcome(watched.out)).toEqual(await outcome(plain.out));
  });

  test("are given the run, and end it after the step: it is saved, and its last event says who and why", async () => {
    const patient: Callback = {
      name: "patient",
      step: ({ step }, run) => {
        if (step === 7) run.stop("seven is enough");
      },
    };
    const { run, out } = await newRun({ callbacks: [patient] });
    const { end } = await run.finish();
    expect(end).toEqual({ type: "end", step: 7, reason: "stopped", message: "patient: seven is enough" });
    expect((await outcome(out)).checkpoint).toBe("step-000007");
  });

  test("a run that was stopped goes on to the bytes of one that was not", async () => {
    const whole = await newRun();
    await whole.run.finish();
    const { run, out } = await newRun();
    await run.on("step", ({ step }) => step === 7 && run.stop()).finish();
    const { end } = await (await resume(out)).finish();
    expect(end).toMatchObject({ step: 24, reason: "maxSteps" });
    expect((await outcome(out)).digests).toEqual((await outcome(whole.out)).digests);
  });

  test("who reads a run may stop it, too", async () => {
    const { run } = await newRun();
    let last: RunEvent | undefined;
    for await (const event of run) {
      if (event.type === "step" && event.step === 3) run.stop("read enough");
      last = event;
    }
    expect(last).toEqual({ type: "end", step: 3, reason: "stopped", message: "read enough" });
  });

  test("an AbortSignal ends a run as Ctrl-C does, and callbacks see it", async () => {
    const stop = new AbortController();
    const { run, out } = await newRun({ signal: stop.signal });
    const seen: boolean[] = [];
    run.on("step", ({ step }, { signal }) => {
      if (step === 4) stop.abort();
      seen.push(signal.aborted);
    });
    const { end } = await run.finish();
    expect(end).toEqual({ type: "end", step: 4, reason: "interrupted" });
    expect(seen).toEqual([false, false, false, true]);
    expect(await readdir(join(out, "checkpoints"))).toContain("step-000004");
  });
});

describe("early stopping as a callback", () => {
  test("ends a run whose evaluations get no better, where the trainer's own does", async () => {
    // Nothing is learned at this rate, so only the first evaluation is better than all before.
    const still = { learningRate: 1e-12, evalSteps: 2, metricForBestModel: "perplexity" };
    const { earlyStoppingPatience } = { earlyStoppingPatience: 3 };
    const built = await newRun({}, { ...still, earlyStoppingPatience, earlyStoppingThreshold: 0.01 });
    const { end: own } = await built.run.finish();
    const callback = earlyStopping({
      metricForBestModel: "perplexity",
      earlyStoppingPatience,
      earlyStoppingThreshold: 0.01,
    });
    const { run } = await newRun({ callbacks: [callback] }, still);
    const { end } = await run.finish();
    expect({ step: own.step, reason: own.reason }).toEqual({ step: 8, reason: "earlyStopping" });
    expect(end).toEqual({
      type: "end",
      step: 8,
      reason: "stopped",
      message: "earlyStopping: perplexity got no better in 3 evaluations",
    });
  });

  test("does not end one that gets better", async () => {
    const { run } = await newRun({ callbacks: [earlyStopping()] }, { maxSteps: 15, learningRate: 0.02 });
    expect((await run.finish()).end.reason).toBe("maxSteps");
  });

  test("of a metric that no evaluation gives is an error with the names of those that one does", async () => {
    const { run } = await newRun({ callbacks: [earlyStopping({ metricForBestModel: "f1" })] });
    await expect(run.finish()).rejects.toThrow(/"earlyStopping" failed at .*"f1".* loss, perplexity/);
  });
});

describe("a callback that throws", () => {
  test.each([
    [
      "at once",
      () => {
        throw new TypeError("boom");
      },
    ],
    ["later", () => Promise.reject(new TypeError("boom"))],
  ])(
    "%s: the run is saved, is no finished one, and fails with its name, the event and the step",
    async (_, boom) => {
      const after: string[] = [];
      const broken: Callback = { name: "mailer", step: (event) => (event.step === 6 ? boom() : undefined) };
      const witness: Callback = {
        checkpoint: () => after.push("checkpoint"),
        error: () => after.push("error"),
      };
      const { run, out } = await newRun({ callbacks: [broken, witness] }, { saveSteps: undefined });
      const { events, error } = await drain(run);
      expect(error).toBeInstanceOf(CallbackError);
      expect(error).toMatchObject({
        code: "CALLBACK_FAILED",
        message: 'the callback "mailer" failed at the event "step" of step 6: TypeError: boom',
        cause: expect.any(TypeError),
      });
      expect(events.at(-1)).toEqual({ type: "checkpoint", step: 6, path: "checkpoints/step-000006" });
      const { rows } = await outcome(out);
      expect(rows.at(-1)).toMatchObject({ type: "error", code: "CALLBACK_FAILED" });
      expect(rows.filter((row) => (row as RunEvent).type === "end")).toEqual([]);
      // None of the program's own code is called after that.
      expect(after).toEqual([]);
      const { end } = await (await resume(out)).finish();
      expect(end).toMatchObject({ step: 24, reason: "maxSteps" });
    },
  );

  test("a tracker that throws does the same", async () => {
    const tracker = {
      event: (event: RunEvent) => {
        if (event.type === "evaluation") throw new Error("no connection");
      },
      close() {},
    };
    const { run, out } = await newRun({ trackers: [tracker] });
    await expect(run.finish()).rejects.toThrow(
      'trackers[0] failed at the event "evaluation" of step 5: Error: no connection',
    );
    expect((await outcome(out)).checkpoint).toBe("step-000005");
  });

  test("one that throws at the error of a run does not hide that", async () => {
    const { run } = await newRun(
      {
        callbacks: [
          {
            error: () => {
              throw new Error("second");
            },
          },
        ],
      },
      { metricForBestModel: "absent" },
    );
    await expect(run.finish()).rejects.toThrow(/metricForBestModel is "absent"/);
  });
});

test("a metric that throws is named with the step, and what was learned until then is saved", async () => {
  const folder = await newFolder();
  const out = join(folder, "run");
  let calls = 0;
  const flaky = () => {
    if (++calls === 2) throw new RangeError("division by nothing");
    return 1;
  };
  const run = await train({ ...everything(folder, { saveSteps: undefined }), metrics: [flaky] }, { out });
  const { error } = await drain(run);
  expect(error).toMatchObject({
    code: "METRIC_FAILED",
    message: expect.stringMatching(
      /^The metric "flaky" \(program\) failed: division by nothing\nIt came after step 10; checkpoints\/step-000010 is saved/,
    ),
  });
  expect((await outcome(out)).checkpoint).toBe("step-000010");
});
