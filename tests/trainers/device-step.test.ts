/** Updates whose weights, gradients and state are in memory of a device, here of the CPU used as one: the same bytes. */
import { describe, expect, test } from "vitest";
import { adafactor, adamW, lion, muon, type Optimizer, sgd } from "../../src/optim/index.ts";
import { cpuDevice } from "../../src/runtime/index.ts";
import type { Batch } from "../../src/trainers/batching.ts";
import { Evaluator } from "../../src/trainers/evaluation.ts";
import { TextGenerator } from "../../src/trainers/generation/index.ts";
import { TrainingStep, type TrainingStepOptions } from "../../src/trainers/training-step.ts";
import { collect, memoryLoader, numberTokenizer, randomExamples, smallGpt } from "./fixtures.ts";

const [B, T] = [4, 8];
const device = cpuDevice();

async function newStep(options: Partial<TrainingStepOptions>): Promise<TrainingStep> {
  const common = { batchSize: B, sequenceLength: T, maxGradNorm: 1, seed: 1, optimizer: adamW() };
  return new TrainingStep({ ...common, model: await smallGpt({ dropout: 0.1 }), ...options });
}

function batch(rows: number, shift: number): Batch {
  const inputIds = Int32Array.from({ length: rows * T }, (_, at) => (at * 7 + shift) % 20);
  return { inputIds, labels: inputIds.map((id) => (id + 3) % 20), counted: rows * T, rows };
}

const valuesOf = (step: TrainingStep) => {
  const { parameters, optimizer } = step.tensors();
  return [...parameters, ...optimizer].map(([name, { data }]) => [name, Array.from(data as Float32Array)]);
};

const optimizers: Readonly<Record<string, () => Optimizer>> = {
  adamW: () => adamW(),
  "sgd with momentum": () => sgd({ momentum: 0.9 }),
  lion: () => lion(),
  muon: () => muon(),
  adafactor: () => adafactor(),
};

/** What an update gives, but for the time that it took. */
async function taken(step: TrainingStep, batches: readonly Batch[]) {
  const { seconds: _, ...result } = await step.run(batches, 1e-2);
  return result;
}

describe("with memory of a device", () => {
  test.each(Object.keys(optimizers))("updates are the same to the last bit: %s", async (name) => {
    const optimizer = () => (optimizers[name] as () => Optimizer)();
    const [there, here] = [
      await newStep({ optimizer: optimizer(), device }),
      await newStep({ optimizer: optimizer() }),
    ];
    for (let update = 0; update < 3; update++)
      expect(await taken(there, [batch(B, update)])).toEqual(await taken(here, [batch(B, update)]));
    expect(valuesOf(there)).toEqual(valuesOf(here));
    expect(there.weights["transformer.wte.weight"]?.device).toBe(device);
  });

  test("so are those of several batches, of groups with rates of their own, and with frozen parameters", async () => {
    const options: Partial<TrainingStepOptions> = {
      batchSize: 2,
      gradientAccumulationSteps: 3,
      groupOf: (name) => ({
        frozen: name.includes("wpe"),
        learningRateScale: name.includes("wte") ? 0.5 : 1,
      }),
    };
    const [there, here] = [await newStep({ ...options, device }), await newStep(options)];
    for (let update = 0; update < 3; update++) {
      const parts = [0, 1, 2].map((part) => batch(2, 3 * update + part));
      expect(await taken(there, parts)).toEqual(await taken(here, parts));
    }
    expect(valuesOf(there)).toEqual(valuesOf(here));
  });

  test("what was saved goes on there and here to the same bytes, after an odd and an even number of updates", async () => {
    for (const updates of [1, 2]) {
      const first = await newStep({ device });
      for (let update = 0; update < updates; update++) await first.run([batch(B, update)], 1e-2);
      const saved = { ...first.snapshot(), step: first.step };
      const [there, here] = [await newStep({ device }), await newStep({})];
      await first.run([batch(B, 9)], 1e-2);
      for (const step of [there, here]) {
        step.restore(saved);
        await step.run([batch(B, 9)], 1e-2);
        expect(valuesOf(step)).toEqual(valuesOf(first));
      }
      // A negative control: the state of the optimizer is part of it.
      const fresh = await newStep({ device });
      fresh.restore({ ...saved, freshOptimizer: true });
      await fresh.run([batch(B, 9)], 1e-2);
      expect(valuesOf(fresh)).not.toEqual(valuesOf(first));
    }
  });

  test("an update that is not finite leaves the weights as they were", async () => {
    const step = await newStep({ device });
    await step.run([batch(B, 0)], 1e-2);
    const before = valuesOf(step);
    const broken = { ...batch(B, 1), weight: 1e-300 };
    await expect(step.run([broken], 1e-2)).rejects.toMatchObject({ name: "TrainingError" });
    expect(valuesOf(step)).toEqual(before);
    await step.run([batch(B, 1)], 1e-2);
  });

  test("a copy that is taken when an update was begun has the numbers from before it", async () => {
    const step = await newStep({ device });
    await step.run([batch(B, 0)], 1e-2);
    const before = valuesOf(step);
    const running = step.run([batch(B, 1)], 1e-2);
    const { parameters, optimizer } = step.snapshot();
    await running;
    expect(
      [...parameters, ...optimizer].map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
    ).toEqual(before);
    expect(valuesOf(step)).not.toEqual(before);
  });

  test("they are evaluated and written with where they are", async () => {
    const model = await smallGpt();
    const [there, here] = [await newStep({ model, device }), await newStep({ model })];
    const data = memoryLoader(
      [],
      randomExamples(9, () => T, 5),
    );
    const options = {
      data,
      tokenizer: numberTokenizer,
      vocabSize: 20,
      batchSize: 4,
      sequenceLength: T,
      seed: 1,
    };
    const evaluate = async (step: TrainingStep, on?: typeof device) =>
      (await new Evaluator(model, [], options, 0, on).evaluate("validation", step.weights)).loss;
    expect(await evaluate(there, device)).toBe(await evaluate(here));
    const write = (step: TrainingStep, on?: typeof device) =>
      collect(
        new TextGenerator(model, numberTokenizer, undefined, on).generate("3 1", step.weights, {
          maxNewTokens: 12,
          seed: 4,
        }),
      );
    expect(await write(there, device)).toEqual(await write(here));
  });
});
