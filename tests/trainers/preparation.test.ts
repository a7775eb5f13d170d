/** What is known of a training before its first step: what is read, cut, left out and padded, and how many updates it takes. */
import { describe, expect, test } from "vitest";
import type { Example } from "../../src/data-loaders/index.ts";
import { type BatchOptions, trainingBatches } from "../../src/trainers/batching.ts";
import { causalLm } from "../../src/trainers/causal-lm.ts";
import { surveyTraining } from "../../src/trainers/data-survey.ts";
import type { StepEvent, TrainingContext, TrainingEvent } from "../../src/trainers/index.ts";
import { lengthBuckets } from "../../src/trainers/length-buckets.ts";
import { memoryLoader, numberTokenizer, randomExamples, smallGpt } from "./fixtures.ts";

async function trainerOf(options: Record<string, unknown>) {
  const given = { batchSize: 4, sampleTokens: 0, ...options };
  const parsed = await causalLm.options?.["~standard"].validate(given);
  if (!parsed || parsed.issues) throw new Error(JSON.stringify(parsed?.issues));
  return causalLm.create(parsed.value, { directory: "." });
}

async function contextOf(train: readonly Example[], signal?: AbortSignal): Promise<TrainingContext> {
  return {
    model: await smallGpt(),
    data: memoryLoader(train),
    tokenizer: numberTokenizer,
    metrics: [],
    seed: 1,
    signal: signal ?? new AbortController().signal,
    saveCheckpoint: async ({ step }) => `step-${step}`,
  };
}

async function prepared(train: readonly Example[], options: Record<string, unknown>) {
  const trainer = await trainerOf(options);
  return trainer.prepare?.(await contextOf(train));
}

/** With T = 8: one that is cut by 3, one without a label, two with nothing to predict, and one that fits. */
const mixed: readonly Example[] = [
  { inputIds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] },
  { inputIds: [1, 2, 3], labels: [1, -100, -100] },
  { inputIds: [5] },
  { text: "" },
  { text: "4 5 6 7" },
];

describe("the data", () => {
  test("is counted: what is cut, what is left out and why, what is padded", async () => {
    expect((await prepared(mixed, { maxSteps: 3 }))?.data).toEqual({
      examples: 5,
      complete: true,
      tokens: 8 + 2 + 3,
      labels: 8 + 3,
      truncated: { examples: 1, tokens: 3 },
      dropped: 3,
      empty: 2,
      padding: 1 - (8 + 3) / (2 * 8),
    });
  });

  test("of more examples than are looked at is said to be more", async () => {
    const many = Array.from({ length: 10_001 }, () => ({ inputIds: [1, 2] }));
    expect((await prepared(many, { maxSteps: 3 }))?.data).toMatchObject({
      examples: 10_000,
      complete: false,
    });
    expect((await prepared(many, { numTrainEpochs: 1 }))?.data).toMatchObject({
      examples: 10_001,
      complete: true,
    });
  });

  test.each([false, true])("is padded as is said (groupByLength: %s)", async (groupByLength) => {
    const options: BatchOptions = {
      data: memoryLoader(randomExamples(400, (random) => 2 + random.integer(63))),
      ...{ tokenizer: numberTokenizer, vocabSize: 20, batchSize: 8, sequenceLength: 64, seed: 1 },
      ...{ lengths: lengthBuckets(64), groupByLength },
    };
    let [read, all] = [0, 0];
    let batches = 0;
    for await (const { batch } of trainingBatches(options)) {
      read += batch.counted;
      all += batch.inputIds.length;
      if (++batches === 50) break;
    }
    expect((await surveyTraining(options)).padding).toBeCloseTo(1 - read / all, 10);
  });

  test("is refused when truncation took every label that counts", async () => {
    const prompt = Array.from({ length: 12 }, (_, at) => at);
    const labels = prompt.map((id) => (id < 10 ? -100 : id));
    const examples = [{ inputIds: prompt, labels }, { inputIds: [1] }];
    await expect(prepared(examples, { maxSteps: 3 })).rejects.toThrow(
      /None of the 2 training examples has a label that counts.* 1 of them have more tokens than fit \(sequenceLength is 8\)/,
    );
    // A negative control: with one label that fits there is something to learn.
    const plan = await prepared([...examples, { inputIds: [1, 2] }], { maxSteps: 3 });
    expect(plan?.data).toMatchObject({ examples: 3, dropped: 2, empty: 1 });
  });

  test("that was told in the first event is not warned of again; otherwise it is", async () => {
    const warned = async (isPrepared: boolean) => {
      const [trainer, context] = [await trainerOf({ maxSteps: 3 }), await contextOf(mixed)];
      if (isPrepared) await trainer.prepare?.(context);
      const events: TrainingEvent[] = [];
      for await (const event of trainer.train(context)) events.push(event);
      return events.flatMap((event) => (event.type === "warning" ? [event.code] : []));
    };
    expect(await warned(true)).toEqual([]);
    expect((await warned(false)).sort()).toEqual(["DROPPED", "TRUNCATED"]);
  });
});

describe("numTrainEpochs", () => {
  const examples = randomExamples(10, () => 5);

  test.each([
    [1, {}, 3],
    [2, {}, 5],
    [0.5, {}, 2],
    [3, { gradientAccumulationSteps: 2 }, 4],
    [0.1, { batchSize: 1 }, 1],
    [0.3, { batchSize: 1 }, 3],
  ])("%d of 10 examples with %j are %d updates", async (numTrainEpochs, options, updates) => {
    expect((await prepared(examples, { numTrainEpochs, ...options }))?.maxSteps).toBe(updates);
  });

  test("counts examples that are trained on", async () => {
    const some = [...examples, { inputIds: [1] }, { inputIds: [1] }];
    expect((await prepared(some, { numTrainEpochs: 2 }))?.maxSteps).toBe(5);
  });

  function withoutTimes({ seconds: _, ...event }: StepEvent): StepEvent {
    return { ...event, tokensPerSecond: 0 };
  }

  test("trains as many updates as maxSteps would, with the same schedule, whether or not it was prepared", async () => {
    const run = async (options: Record<string, unknown>, isPrepared = false) => {
      const [trainer, context] = [await trainerOf(options), await contextOf(examples)];
      if (isPrepared) await trainer.prepare?.(context);
      const events: TrainingEvent[] = [];
      for await (const event of trainer.train(context))
        events.push(event.type === "step" ? withoutTimes(event) : event);
      return events;
    };
    const expected = await run({ maxSteps: 5 });
    expect(expected.filter(({ type }) => type === "step")).toHaveLength(5);
    expect(await run({ numTrainEpochs: 2 })).toEqual(expected);
    expect(await run({ numTrainEpochs: 2 }, true)).toEqual(expected);
  });

  test("is an alternative to maxSteps: not both, and not neither", async () => {
    await expect(trainerOf({ maxSteps: 3, numTrainEpochs: 1 })).rejects.toThrow(
      /numTrainEpochs.*give one of both/,
    );
    await expect(trainerOf({})).rejects.toThrow(/expected a number of updates.*numTrainEpochs/);
    await expect(trainerOf({ numTrainEpochs: 0 })).rejects.toThrow(/numTrainEpochs/);
  });

  test("of data that is stuck ends as interrupted when the signal aborts", async () => {
    const stop = new AbortController();
    const trainer = await trainerOf({ numTrainEpochs: 1 });
    const context = await contextOf(examples, stop.signal);
    const data = {
      ...context.data,
      async *examples(): AsyncGenerator<Example> {
        stop.abort();
        await new Promise(() => {});
        yield { text: "" };
      },
    };
    expect(await trainer.prepare?.({ ...context, data })).toEqual({});
    const events: TrainingEvent[] = [];
    for await (const event of trainer.train({ ...context, data })) events.push(event);
    expect(events).toEqual([{ type: "end", step: 0, reason: "interrupted" }]);
  });
});
