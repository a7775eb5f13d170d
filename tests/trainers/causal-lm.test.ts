import { describe, expect, test } from "vitest";
import type { DataLoader } from "../../src/data-loaders/index.ts";
import { causalLm } from "../../src/trainers/causal-lm.ts";
import type { Checkpoint, NamedMetric, TrainingEvent } from "../../src/trainers/index.ts";
import { memoryLoader, numberTokenizer, randomExamples, smallGpt } from "./fixtures.ts";

interface Given {
  readonly options?: Record<string, unknown>;
  readonly data?: DataLoader;
  readonly metrics?: readonly NamedMetric[];
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainingEvent) => void;
}

/** Trains, and gives everything that came out of it, an error included. */
async function train({ options, data, metrics = [], signal, onEvent }: Given) {
  const validated = await causalLm.options?.["~standard"].validate({ maxSteps: 4, batchSize: 2, ...options });
  if (!validated || validated.issues) throw new Error(JSON.stringify(validated?.issues));
  const trainer = await causalLm.create(validated.value, { directory: "." });
  const saved: Checkpoint[] = [];
  const events: TrainingEvent[] = [];
  let error: Error | undefined;
  const context = {
    tokenizer: numberTokenizer,
    model: await smallGpt(),
    data:
      data ??
      memoryLoader(
        randomExamples(9, () => 9),
        randomExamples(3, () => 9, 2),
      ),
    metrics,
    seed: 1,
    signal: signal ?? new AbortController().signal,
    saveCheckpoint: async (checkpoint: Checkpoint) => {
      saved.push(checkpoint);
      return `checkpoints/${checkpoint.step}`;
    },
  };
  try {
    for await (const event of trainer.train(context)) {
      events.push(event);
      onEvent?.(event);
    }
  } catch (cause) {
    error = cause as Error;
  }
  return { events, saved, error, kinds: events.map(({ type }) => type) };
}

test("yields steps, evaluations, a checkpoint of the last step and an end, in this order", async () => {
  const { kinds, saved, error } = await train({ options: { evalSteps: 2 } });
  expect(error).toBeUndefined();
  expect(kinds).toEqual(["step", "step", "evaluation", "step", "step", "evaluation", "checkpoint", "end"]);
  expect(saved.map(({ step }) => step)).toEqual([4]);
});

test("samples along the way and at the end, where the data has text", async () => {
  const text = memoryLoader([{ text: "1 2 3 4 5 6" }, { text: "6 5 4 3" }], [{ text: "7 8 9" }]);
  const { events } = await train({ data: text, options: { sampleSteps: 2, sampleTokens: 3 } });
  const samples = events.filter((event) => event.type === "sample");
  expect(samples.map(({ step, prompt }) => [step, prompt])).toEqual([
    [2, "7 8 9"],
    [4, "7 8 9"],
  ]);
});

describe("what was learned is saved, whatever goes wrong", () => {
  test("a metric that throws at the evaluation", async () => {
    const broken: NamedMetric = {
      name: "broken",
      origin: "my-extension@1.0.0",
      metric: () => {
        throw new Error("division by cucumber");
      },
    };
    const { saved, error, kinds } = await train({ metrics: [broken], options: { evalSteps: 3 } });
    expect(error?.message).toMatch(/metric "broken" \(my-extension@1\.0\.0\) failed: division by cucumber/);
    expect(saved.map(({ step }) => step)).toEqual([3]);
    expect(kinds.at(-1)).toBe("checkpoint");
  });

  test("an example that is broken: the step before it is told and saved", async () => {
    const good = randomExamples(6, () => 9);
    const data = memoryLoader([...good, { inputIds: [1, 99] }], []);
    const inOrder: DataLoader = {
      ...data,
      examples: (split, request) => data.examples(split, { ...request, shuffle: false }),
    };
    const { events, saved, error } = await train({ data: inOrder });
    expect(error?.message).toMatch(/token id 99/);
    expect(events.filter((event) => event.type === "step").map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(saved.map(({ step }) => step)).toEqual([3]);
  });

  test("but not weights that an update ruined: those are an error, and nothing is saved", async () => {
    const options = { learningRate: 3e38, warmupSteps: 0, maxGradNorm: 0, maxSteps: 1 };
    const { saved, error } = await train({ options });
    expect(error?.message).toMatch(/loss over the validation split is NaN: the weights are broken/);
    expect(saved).toEqual([]);
  });
});

test("a prompt that cannot be continued is refused before the first step", async () => {
  const { error, events } = await train({ options: { samplePrompt: "1 99" } });
  expect(error?.message).toMatch(/samplePrompt has the token id 99/);
  expect(events).toEqual([]);
});

describe("when the signal aborts", () => {
  test("the step that runs is finished and saved, and nothing is evaluated or written any more", async () => {
    const stop = new AbortController();
    const onEvent = (event: TrainingEvent) => event.type === "step" && event.step === 2 && stop.abort();
    const { kinds, saved, events } = await train({
      signal: stop.signal,
      onEvent,
      options: { evalSteps: 1, maxSteps: 50 },
    });
    expect(kinds).toEqual(["step", "evaluation", "step", "checkpoint", "end"]);
    expect(saved.map(({ step }) => step)).toEqual([2]);
    expect(events.at(-1)).toMatchObject({ type: "end", step: 2, reason: "interrupted" });
  });

  test("a loader that is stuck is not waited for", async () => {
    const stop = new AbortController();
    const examples = randomExamples(4, () => 9);
    let getStuck = () => {};
    const stuck = new Promise<void>((resolve) => {
      getStuck = resolve;
    });
    const data: DataLoader = {
      ...memoryLoader(examples),
      async *examples() {
        yield* examples;
        getStuck();
        await new Promise(() => {});
      },
    };
    // Two steps are all that it has data for. What follows is asked for before the second is done, however slow this machine is.
    const onEvent = (event: TrainingEvent) =>
      event.type === "step" && event.step === 2 && stuck.then(() => setTimeout(() => stop.abort(), 20));
    const { events, saved } = await train({ data, signal: stop.signal, onEvent, options: { maxSteps: 50 } });
    expect(events.at(-1)).toMatchObject({ type: "end", step: 2, reason: "interrupted" });
    expect(saved.map(({ step }) => step)).toEqual([2]);
  });
});

test("the data's iterator is closed when whoever reads the events stops", async () => {
  let closed = false;
  const examples = randomExamples(4, () => 9);
  const data: DataLoader = {
    ...memoryLoader(examples),
    async *examples() {
      try {
        for (;;) yield* examples;
      } finally {
        closed = true;
      }
    },
  };
  const validated = await causalLm.options?.["~standard"].validate({ maxSteps: 10, batchSize: 2 });
  if (!validated || validated.issues) throw new Error("options");
  const trainer = await causalLm.create(validated.value, { directory: "." });
  const { signal } = new AbortController();
  const context = {
    tokenizer: numberTokenizer,
    model: await smallGpt(),
    data,
    metrics: [],
    seed: 1,
    signal,
    saveCheckpoint: async () => "",
  };
  for await (const event of trainer.train(context)) if (event.type === "step") break;
  await expect.poll(() => closed).toBe(true);
});
