import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { adafactor, adamW, lion, muon, type Optimizer, sgd } from "../../src/optim/index.ts";
import { readCheckpoint, saveCheckpoint } from "../../src/run/checkpoint.ts";
import { reshape } from "../../src/tensor/index.ts";
import type { Batch } from "../../src/trainers/batching.ts";
import { TrainingStep, type TrainingStepOptions } from "../../src/trainers/training-step.ts";
import type { ParameterGroup } from "../../src/trainers/update-units.ts";
import { smallGpt } from "./fixtures.ts";

const B = 4;
const T = 8;

const inLayer = ({ name }: { readonly name: string }) => name.includes(".h.");

/** Every optimizer with a learning rate that suits the small model. */
const optimizers: Readonly<Record<string, { readonly optimizer: Optimizer; readonly learningRate: number }>> =
  {
    adamw: { optimizer: adamW(), learningRate: 1e-2 },
    sgd: { optimizer: sgd(), learningRate: 0.5 },
    "sgd with momentum": { optimizer: sgd({ momentum: 0.9, nesterov: true }), learningRate: 0.1 },
    lion: { optimizer: lion({ weightDecay: 0.1 }), learningRate: 2e-3 },
    adafactor: { optimizer: adafactor({ weightDecay: 0.1 }), learningRate: 0.2 },
    muon: { optimizer: muon({ matrices: inLayer }), learningRate: 1e-2 },
  };

async function newStep(optimizer: Optimizer, options: Partial<TrainingStepOptions> = {}) {
  return new TrainingStep({
    model: await smallGpt(),
    optimizer,
    batchSize: B,
    sequenceLength: T,
    maxGradNorm: 1,
    seed: 1,
    ...options,
  });
}

/** Rows of ids that count on by 7, so that there is something to learn. */
function batch(shift = 0, from = 0, to = B): Batch {
  const rows = to - from;
  const inputIds = Int32Array.from({ length: rows * T }, (_, at) => ((at + from * T) * 7 + shift) % 20);
  return { inputIds, labels: inputIds.map((id) => (id + 7) % 20), counted: rows * T, rows };
}

const valuesOf = (tensors: TrainingStep["weights"]) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, [...data]]));

for (const [name, { optimizer, learningRate }] of Object.entries(optimizers))
  describe(name, () => {
    const train = async (updates: number, options: Partial<TrainingStepOptions> = {}) => {
      const step = await newStep(optimizer, options);
      const losses: number[] = [];
      for (let update = 0; update < updates; update++)
        losses.push((await step.run([batch(update)], learningRate)).loss);
      return { step, losses };
    };

    test("learns", async () => {
      const { losses } = await train(60);
      expect(losses[0]).toBeCloseTo(Math.log(20), 1);
      expect(losses.at(-1)).toBeLessThan(1.5);
    });

    test("gives the same bytes from the same seed", async () => {
      const [one, two] = [await train(5), await train(5)];
      expect(valuesOf(two.step.weights)).toEqual(valuesOf(one.step.weights));
      expect(valuesOf(two.step.slots)).toEqual(valuesOf(one.step.slots));
    });

    test("accumulates gradients to the update of the whole batch", async () => {
      const whole = await newStep(optimizer);
      const halves = await newStep(optimizer, { batchSize: B / 2, gradientAccumulationSteps: 2 });
      const a = await whole.run([batch()], learningRate);
      const b = await halves.run([batch(0, 0, 2), batch(0, 2, 4)], learningRate);
      expect(b.loss).toBeCloseTo(a.loss, 5);
      expect(b.gradientNorm).toBeCloseTo(a.gradientNorm, 5);
      const [left, right] = [valuesOf(whole.weights), valuesOf(halves.weights)];
      // The key's bias has no gradient but rounding noise, which some optimizers blow up; everything else agrees.
      for (const [parameter, values] of Object.entries(left))
        if (!parameter.endsWith("c_attn.bias"))
          for (const [at, value] of values.entries())
            expect(right[parameter]?.[at], parameter).toBeCloseTo(value, 4);
    });

    test("a checkpoint has its state by slot and parameter, and is read back as it was", async () => {
      const { step } = await train(2);
      const directory = await mkdtemp(join(tmpdir(), "codex-ml-optimizers-"));
      try {
        const path = await saveCheckpoint(
          directory,
          { step: 2, ...step.tensors(), state: {} },
          { config: {} },
        );
        const { optimizer: read } = await readCheckpoint(join(directory, path));
        const described = (
          tensors: Iterable<readonly [string, { shape: readonly number[]; data: unknown }]>,
        ) => Object.fromEntries([...tensors].map(([slot, { shape, data }]) => [slot, { shape, data }]));
        expect(described(read)).toEqual(described(Object.entries(step.slots)));
        for (const slot of read.keys())
          expect(Object.keys(step.weights)).toContain(slot.slice(slot.indexOf("/") + 1));
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
  });

describe("state", () => {
  const shapesOf = async (name: string) => {
    const step = await newStep((optimizers[name] as { optimizer: Optimizer }).optimizer);
    return Object.fromEntries(Object.entries(step.slots).map(([slot, { shape }]) => [slot, shape]));
  };
  const [wte, fc, bias] = [
    "transformer.wte.weight",
    "transformer.h.0.mlp.c_fc.weight",
    "transformer.h.0.mlp.c_fc.bias",
  ];

  for (const [name, slots] of [
    ["adamw", 2],
    ["sgd", 0],
    ["sgd with momentum", 1],
    ["lion", 1],
  ] as const)
    test(`of ${name}: ${slots} numbers for each of the model's`, async () => {
      const step = await newStep((optimizers[name] as { optimizer: Optimizer }).optimizer);
      const count = (tensors: TrainingStep["weights"]) =>
        Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0);
      expect(count(step.slots)).toBe(slots * count(step.weights));
    });

  test("of adafactor: a matrix's rows and columns, and all of a vector", async () => {
    const shapes = await shapesOf("adafactor");
    expect(shapes).toMatchObject({
      [`row_variance/${wte}`]: [20, 1],
      [`column_variance/${wte}`]: [1, 16],
      [`row_variance/${fc}`]: [16, 1],
      [`column_variance/${fc}`]: [1, 64],
      [`variance/${bias}`]: [64],
    });
    expect(shapes).not.toHaveProperty([`variance/${wte}`]);
    expect(shapes).not.toHaveProperty([`row_variance/${bias}`]);
  });

  test("of muon: one number for each of its matrices, AdamW's two for all else", async () => {
    const shapes = await shapesOf("muon");
    expect(shapes).toMatchObject({
      [`momentum/${fc}`]: [16, 64],
      [`momentum/${wte}`]: [20, 16],
      [`variance/${wte}`]: [20, 16],
      [`variance/${bias}`]: [64],
    });
    expect(shapes).not.toHaveProperty([`variance/${fc}`]);
  });
});

describe("clipping", () => {
  test("caps the change of plain descent, whatever the gradient", async () => {
    const step = await newStep(sgd(), { maxGradNorm: 0.01 });
    const before = Object.values(valuesOf(step.weights)).flat();
    const { gradientNorm } = await step.run([batch()], 1);
    const after = Object.values(valuesOf(step.weights)).flat();
    expect(gradientNorm).toBeGreaterThan(0.1);
    expect(Math.hypot(...after.map((value, at) => value - (before[at] ?? Number.NaN)))).toBeCloseTo(0.01, 5);
  });
});

describe("groups of parameters", () => {
  /** What one update changes, by parameter. */
  const change = async (
    optimizer: Optimizer,
    learningRate: number,
    groupOf?: (name: string) => ParameterGroup,
  ) => {
    const step = await newStep(optimizer, { maxGradNorm: 0, ...(groupOf && { groupOf }) });
    const before = valuesOf(step.weights);
    await step.run([batch()], learningRate);
    return {
      before,
      change: Object.fromEntries(
        Object.entries(valuesOf(step.weights)).map(([name, values]) => [
          name,
          values.map((value, at) => value - (before[name]?.[at] ?? Number.NaN)),
        ]),
      ),
    };
  };
  const isBias = (name: string) => name.endsWith(".bias");

  test("decay by their own weightDecay, vectors too; the others by the optimizer's, matrices alone", async () => {
    const rate = 0.01;
    for (const [name, make] of [
      ["adamw", (weightDecay: number) => adamW({ weightDecay })],
      ["lion", (weightDecay: number) => lion({ weightDecay })],
      ["adafactor", (weightDecay: number) => adafactor({ weightDecay })],
      ["muon", (weightDecay: number) => muon({ weightDecay, matrices: inLayer })],
      ["sgd", (weightDecay: number) => sgd({ weightDecay })],
    ] as const) {
      const groupOf = (parameter: string): ParameterGroup => ({
        frozen: false,
        learningRateScale: 1,
        ...(parameter.includes("ln_") && !isBias(parameter) && { weightDecay: 3 }),
        ...(parameter.includes("wpe") && { weightDecay: 0 }),
      });
      const plain = await change(make(0), rate);
      const decayed = await change(make(2), rate, groupOf);
      for (const [parameter, values] of Object.entries(plain.before)) {
        const decay = parameter.includes("wpe") || isBias(parameter) ? 0 : parameter.includes("ln_") ? 3 : 2;
        for (const [at, value] of values.entries()) {
          const difference =
            (decayed.change[parameter]?.[at] ?? Number.NaN) - (plain.change[parameter]?.[at] ?? 0);
          expect(difference, `${name} ${parameter}`).toBeCloseTo(-rate * decay * value, 6);
        }
      }
    }
  });

  test("learn at their share of the rate, also where the optimizer is not linear in it", async () => {
    const groupOf = (name: string): ParameterGroup => ({
      frozen: false,
      learningRateScale: name.includes("mlp") ? 0.25 : 1,
    });
    // At the first update adafactor's rate is at most 1: 2 is 1, and a quarter of 2 is 0.5.
    for (const optimizer of [adafactor({ weightDecay: 0.1 }), muon({ matrices: inLayer }), lion()]) {
      const shared = await change(optimizer, 2, groupOf);
      const [whole, quarter] = [await change(optimizer, 2), await change(optimizer, 0.5)];
      for (const [name, values] of Object.entries(shared.change))
        for (const [at, value] of values.entries()) {
          const expected = (name.includes("mlp") ? quarter : whole).change[name]?.[at] ?? Number.NaN;
          expect(value, name).toBeCloseTo(expected, 5);
        }
    }
  });
});

describe("an optimizer that breaks its contract is told which state", () => {
  const broken = (slot: string, state: Optimizer["update"]): Optimizer => ({
    slots: [slot],
    scalars: ["rate"],
    scalarValues: ({ learningRate }) => ({ rate: learningRate }),
    update: state,
  });

  test("a slot that it does not give", async () => {
    const optimizer = broken("trace", ({ parameter }) => ({ parameter, slots: {} }));
    await expect(newStep(optimizer)).rejects.toThrow(/new values for trace float32\(n\); it gave none/);
  });

  test("a parameter of another shape", async () => {
    const optimizer = broken("trace", ({ parameter, slots }) => ({
      parameter: reshape(parameter, [1, -1]),
      slots,
    }));
    await expect(newStep(optimizer)).rejects.toThrow(
      /new values for parameter float32\(n\); it gave float32\(1, n\)/,
    );
  });

  test("a slot with a name that the graph uses", async () => {
    const optimizer = broken("clip", ({ parameter, gradient }) => ({ parameter, slots: { clip: gradient } }));
    await expect(newStep(optimizer)).rejects.toThrow(/calls its state "clip".*another name/);
  });
});
