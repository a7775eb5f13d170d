import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  adafactor,
  adamW,
  learningRateSchedule,
  lion,
  muon,
  type Optimizer,
  type ScheduleShape,
  sgd,
} from "../../src/optim/index.ts";
import { Program, TensorBuffer } from "../../src/runtime/index.ts";
import { input, type Tensor } from "../../src/tensor/index.ts";
import { Draws, floats } from "../golden/draws.ts";

const golden = async (name: string) =>
  JSON.parse(await readFile(new URL(`../golden/${name}.json`, import.meta.url), "utf8"));

type Options = Readonly<Record<string, number>>;
type Arrays = Readonly<Record<string, Float32Array>>;
type Shapes = Readonly<Record<string, readonly number[]>>;

const build: Readonly<Record<string, (options: Options) => Optimizer>> = {
  adamw: adamW,
  sgd,
  lion,
  adafactor,
  muon,
};

describe("fifty updates follow the reference implementation's in float64 to 1e-5", async () => {
  const { shapes, cases } = await golden("optimizers");
  for (const { name, options, parameters } of cases)
    test(`${name} ${JSON.stringify(options)}`, async () => {
      const made = build[name]?.(options) as Optimizer;
      const values = await updates(made, shapes, options.learningRate, options.weightDecay);
      for (const { step, ...expected } of parameters)
        for (const [key, encoded] of Object.entries<string>(expected))
          for (const [at, value] of floats(encoded).entries())
            expect(values[step - 1]?.[key]?.[at], `${key}[${at}] after ${step}`).toBeCloseTo(value, 5);
    });
});

/** The parameters after each of fifty updates with the gradients of `optimizers.py`. */
async function updates(optimizer: Optimizer, shapes: Shapes, peak: number, decay: number): Promise<Arrays[]> {
  const outputs: Record<string, Tensor> = {};
  const inputs: Record<string, Tensor> = {};
  const take = (name: string, shape: readonly number[]) => {
    const tensor = input(name, "float32", shape);
    inputs[name] = tensor;
    return tensor;
  };
  const decays = [true, false].map((yes) => ({
    yes,
    scalars: Object.fromEntries(optimizer.scalars.map((name) => [name, take(`${yes}/${name}`, [])])),
  }));
  for (const [name, shape] of Object.entries(shapes)) {
    const rule = optimizer.ruleFor?.({ name, shape }) ?? optimizer;
    const set = decays.find(({ yes }) => yes === shape.length > 1 && decay > 0) ?? decays[1];
    const slots = Object.fromEntries(
      rule.slots.map((slot) => [slot, take(`${slot}/${name}`, rule.slotShape?.(slot, shape) ?? shape)]),
    );
    const next = rule.update({
      parameter: take(name, shape),
      decays: set?.yes === true,
      gradient: take(`gradient/${name}`, shape),
      slots,
      scalars: set?.scalars ?? {},
    });
    outputs[`next/${name}`] = next.parameter;
    for (const slot of rule.slots) outputs[`next/${slot}/${name}`] = next.slots[slot] as Tensor;
  }
  const buffers = (tensors: Readonly<Record<string, Tensor>>) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, { shape }]) => [
        name,
        new TensorBuffer({ dtype: "float32", shape: shape as number[] }),
      ]),
    );
  const feeds = buffers(inputs);
  const results = buffers(outputs);
  const draw = (name: string, seed: number, scale: number) => {
    const draws = new Draws(seed);
    const data = feeds[name]?.data;
    if (data) for (let at = 0; at < data.length; at++) data[at] = scale * draws.uniform();
  };
  for (const [index, name] of Object.keys(shapes).entries()) draw(name, 1 + index, 1);

  const call = new Program({ inputs: Object.values(inputs), outputs }).bind(feeds, results);
  const history: Arrays[] = [];
  for (let step = 1; step <= 50; step++) {
    const learningRate = peak * Math.min(1, step / 10);
    for (const { yes } of decays) {
      const numbers = optimizer.scalarValues({ step, learningRate, weightDecay: yes ? decay : 0 });
      for (const [name, value] of Object.entries(numbers)) feeds[`${yes}/${name}`]?.data.fill(value);
    }
    for (const [index, name] of Object.keys(shapes).entries())
      draw(`gradient/${name}`, 1000 * step + index, 2);
    await call.run();
    for (const [name, { data }] of Object.entries(results)) feeds[name.replace("next/", "")]?.data.set(data);
    history.push(
      Object.fromEntries(
        Object.keys(shapes).map((name) => [name, Float32Array.from(results[`next/${name}`]?.data ?? [])]),
      ),
    );
  }
  return history;
}

describe("learning rates are those of transformers after as many steps", async () => {
  const { learningRate, maxSteps, cases } = await golden("schedules");
  for (const { name, warmupSteps, options, rates } of cases)
    test(`${name}, ${warmupSteps} steps of warm-up ${JSON.stringify(options)}`, () => {
      const shape = { name, ...options } as ScheduleShape;
      const schedule = learningRateSchedule({ ...shape, learningRate, warmupSteps, maxSteps });
      for (let step = 1; step <= maxSteps; step++)
        expect(schedule(step), `step ${step}`).toBeCloseTo(rates[step], 13);
    });
});
