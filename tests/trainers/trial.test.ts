/** What training costs, measured without training. */
import { describe, expect, test } from "vitest";
import { adafactor, adamW, lion, muon, sgd } from "../../src/optim/index.ts";
import type { StepEvent, TrainingEvent } from "../../src/trainers/index.ts";
import { getTrainer, type Trainer, type TrainingContext } from "../../src/trainers/index.ts";
import { TrainingStep } from "../../src/trainers/training-step.ts";
import { collect, memoryLoader, numberTokenizer, randomExamples, smallGpt } from "./fixtures.ts";

async function contextFor(examples = randomExamples(40, () => 8)): Promise<TrainingContext> {
  return {
    tokenizer: numberTokenizer,
    model: await smallGpt(),
    data: memoryLoader(examples),
    metrics: [],
    seed: 3,
    signal: new AbortController().signal,
    saveCheckpoint: () => Promise.reject(new Error("nothing is to be saved")),
  };
}

const causal = (options: Record<string, unknown> = {}): Promise<Trainer> =>
  getTrainer("causal_lm", { maxSteps: 2, batchSize: 4, sampleTokens: 0, ...options });

async function firstStep(trainer: Trainer, context: TrainingContext): Promise<StepEvent> {
  const saving = { ...context, saveCheckpoint: async () => "checkpoints/none" };
  const events: TrainingEvent[] = await collect(trainer.train(saving));
  return events.find((event) => event.type === "step") as StepEvent;
}

describe("a trial", () => {
  test("tells the loss, the tokens and the time of the first update that training would do", async () => {
    const trainer = await causal();
    const trial = await trainer.trial?.(await contextFor());
    const step = await firstStep(trainer, await contextFor());
    expect(trial?.loss).toBe(step.loss);
    expect(trial?.tokens).toBe(step.tokens);
    expect(trial?.guessLoss).toBeCloseTo(Math.log(20), 12);
    expect(trial).toMatchObject({ batchSize: 4, sequenceLength: 8, gradientAccumulationSteps: 1 });
    const { batch = 0, update = 0, step: whole = 0 } = trial?.seconds ?? {};
    expect(batch).toBeGreaterThan(0);
    expect(update).toBeGreaterThan(0);
    expect(whole).toBeCloseTo(batch + update, 12);
  });

  test("counts all batches of an update", async () => {
    const trial = await (await causal({ gradientAccumulationSteps: 3 })).trial?.(await contextFor());
    const one = await (await causal()).trial?.(await contextFor());
    expect(trial?.tokens).toBe(3 * (one?.tokens ?? 0));
    expect(trial?.gigaflops).toBeCloseTo(3 * (one?.gigaflops ?? 0), 12);
    const { batch = 0, update = 0, step = 0 } = trial?.seconds ?? {};
    expect(step).toBeCloseTo(3 * batch + update, 12);
    // Sums of gradients are read beside where they are written.
    expect(trial?.memory.gradients).toBe(2 * (trial?.memory.weights ?? 0));
  });

  test("names what is frozen, which has neither gradient nor state", async () => {
    const trial = await (await causal({ freeze: ["*.wte.*", "*.wpe.*"] })).trial?.(await contextFor());
    expect(trial?.frozen).toEqual(["transformer.wte.weight", "transformer.wpe.weight"]);
    const embeddings = 4 * (20 + 8) * 16;
    const { weights = 0, gradients, optimizer } = trial?.memory ?? {};
    expect(gradients).toBe(weights - embeddings);
    expect(optimizer).toBe(2 * (weights - embeddings));
  });

  test("refuses what training would stop at", async () => {
    await expect((await causal()).trial?.(await contextFor([]))).rejects.toThrow(/no training example/);
    const context = await contextFor();
    const [parameter] = context.model.parameters();
    Object.assign(parameter ?? {}, { initialize: (values: Float32Array) => values.fill(Number.NaN) });
    await expect((await causal()).trial?.(context)).rejects.toThrow(/loss of the first batch is NaN/);
  });

  test("ends when it is interrupted", async () => {
    const stop = new AbortController();
    stop.abort();
    const context = { ...(await contextFor()), signal: stop.signal };
    await expect((await causal()).trial?.(context)).rejects.toThrow(/Interrupted/);
  });
});

describe("no optimizer moves a weight", () => {
  for (const [name, optimizer] of Object.entries({
    adamW: adamW({ weightDecay: 0.1 }),
    sgd: sgd({ momentum: 0.9 }),
    lion: lion(),
    adafactor: adafactor(),
    muon: muon(),
  }))
    test(name, async () => {
      const step = new TrainingStep({
        ...{ model: await smallGpt(), optimizer, batchSize: 2, sequenceLength: 8, seed: 1 },
      });
      const copy = () =>
        Object.fromEntries(Object.entries(step.weights).map(([key, { data }]) => [key, data.slice()]));
      const before = copy();
      const inputIds = Int32Array.from({ length: 16 }, (_, at) => at);
      const labels = inputIds.map((id) => (id + 1) % 20);
      const trial = await step.trial(
        { inputIds, labels, counted: 16, rows: 2 },
        new AbortController().signal,
      );
      expect(trial.loss).toBeGreaterThan(0);
      expect(copy()).toEqual(before);
      expect(step.step).toBe(0);
    });
});
