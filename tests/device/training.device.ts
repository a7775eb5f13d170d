/** Forward, gradients, updates and what is saved of them, on a device and on the CPU. */
import { describe, expect, test } from "vitest";
import type { Example } from "../../src/data-loaders/index.ts";
import { bert } from "../../src/models/bert.ts";
import { embeddingBag } from "../../src/models/embedding-bag.ts";
import { gpt2 } from "../../src/models/gpt2.ts";
import type { Model } from "../../src/models/index.ts";
import { llama } from "../../src/models/llama.ts";
import { adafactor, adamW, lion, muon, type Optimizer, sgd } from "../../src/optim/index.ts";
import { type Device, Program, TensorBuffer } from "../../src/runtime/index.ts";
import { gather, grad, input, mul, Random, reduceSum, type Tensor } from "../../src/tensor/index.ts";
import { evaluationBatches } from "../../src/trainers/batching.ts";
import { causalObjective } from "../../src/trainers/causal-objective.ts";
import { classificationObjective } from "../../src/trainers/classification-objective.ts";
import { maskedObjective } from "../../src/trainers/masked-objective.ts";
import type { Objective } from "../../src/trainers/objective.ts";
import { TrainingStep, type TrainingStepOptions } from "../../src/trainers/training-step.ts";
import { buildModel } from "../golden/hugging-face.ts";
import { collect, encoderTokenizer, memoryLoader, numberTokenizer } from "../trainers/fixtures.ts";
import { found } from "./devices.ts";

const small = {
  vocabSize: 20,
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  maxPositionEmbeddings: 12,
  initializerRange: 0.2,
};
const ids = [5, 6, 7, 5, 8, 9, 5, 10, 5, 12, 13, 5];
const whole: Example = { inputIds: ids };
const packed: Example = { inputIds: ids, documentIds: [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3] };
const labels = ["low", "high"];
const texts: Example[] = [
  { text: "4 5 6 7", label: "low" },
  { text: "12 13 14 15 16 17", label: "high" },
];

interface Case {
  readonly model: () => Promise<Model>;
  readonly objective: Objective;
  readonly examples: readonly Example[];
  readonly optimizer?: () => Optimizer;
  readonly options?: Partial<TrainingStepOptions>;
}

const gpt = () => buildModel(gpt2, small);

const cases: Readonly<Record<string, Case>> = {
  "gpt2, AdamW": { model: gpt, objective: causalObjective(), examples: [whole, whole] },
  "gpt2 with dropout": {
    model: () => buildModel(gpt2, { ...small, dropout: 0.2 }),
    objective: causalObjective(),
    examples: [whole],
  },
  "gpt2, gradientCheckpointing": {
    model: gpt,
    objective: causalObjective(),
    examples: [whole],
    options: { gradientCheckpointing: true },
  },
  "gpt2, label smoothing, Lion": {
    model: gpt,
    objective: causalObjective({ labelSmoothing: 0.1 }),
    examples: [whole],
    optimizer: () => lion(),
  },
  "gpt2, Muon": { model: gpt, objective: causalObjective(), examples: [whole], optimizer: () => muon() },
  "gpt2, Adafactor": {
    model: gpt,
    objective: causalObjective(),
    examples: [whole],
    optimizer: () => adafactor(),
  },
  "gpt2, SGD, a frozen table": {
    model: gpt,
    objective: causalObjective(),
    examples: [whole],
    optimizer: () => sgd({ momentum: 0.9 }),
    options: { groupOf: (name) => ({ frozen: name.includes("wpe"), learningRateScale: 1 }) },
  },
  "llama, documents packed": {
    model: () => buildModel(llama, { ...small, numKeyValueHeads: 1 }),
    objective: causalObjective(),
    examples: [packed],
  },
  "bert, masked words": {
    model: () => buildModel(bert, { ...small, hiddenDropoutProb: 0, attentionProbsDropoutProb: 0 }),
    objective: maskedObjective({ mlmProbability: 0.3 }),
    examples: [whole],
  },
  "bert, classes": {
    model: () => buildModel(bert, { ...small, labels, hiddenDropoutProb: 0, attentionProbsDropoutProb: 0 }),
    objective: classificationObjective({ labels, multiLabel: false }),
    examples: texts,
  },
  "embedding_bag, classes": {
    model: () => buildModel(embeddingBag, { vocabSize: 20, hiddenSize: 8, labels }),
    objective: classificationObjective({ labels, multiLabel: false }),
    examples: texts,
  },
};

/** One case of each model. */
const models = Object.keys(cases).filter(
  (name) => !/AdamW|Muon|Adafactor|Lion|SGD/.test(name) || name === "gpt2, AdamW",
);

function valuesOf(step: TrainingStep): ReadonlyMap<string, Float64Array> {
  return new Map(
    [...step.tensors().parameters].map(([name, { data }]) => [name, Float64Array.from(data as Float32Array)]),
  );
}

/** Length of a vector. */
function norm(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

async function prepared(name: string, device?: Device, more: Partial<TrainingStepOptions> = {}) {
  const { model, objective, examples, optimizer = () => adamW(), options } = cases[name] as Case;
  const tokenizer = objective.task === "causal_lm" ? numberTokenizer : encoderTokenizer;
  const parts = more.gradientAccumulationSteps ?? 1;
  const common = {
    vocabSize: 20,
    batchSize: examples.length / parts,
    sequenceLength: 12,
    seed: 1,
    objective,
    tokenizer,
  };
  const data = memoryLoader(examples, examples);
  const batches = await collect(evaluationBatches("validation", { ...common, data }));
  const [like] = batches;
  if (like === undefined) throw new Error("no batch");
  const step = new TrainingStep({
    ...common,
    model: await model(),
    optimizer: optimizer(),
    like,
    maxGradNorm: 1,
    ...options,
    ...more,
    device,
  });
  return { step, run: (learningRate = 3e-3) => step.run(batches, learningRate) };
}

describe.each(found)("%s", (_name, device) => {
  test.each(Object.keys(cases))(
    "%s: four updates as on the CPU, and all nodes on the device",
    async (name) => {
      const before = JSON.stringify(device.onCpu);
      const [there, here] = [await prepared(name, device), await prepared(name)];
      for (let update = 0; update < 4; update++) {
        const [ours, cpu] = [await there.run(), await here.run()];
        expect(ours.loss, `loss ${update}`).toBeCloseTo(cpu.loss, 4);
        expect(ours.gradientNorm / cpu.gradientNorm, `norm ${update}`).toBeCloseTo(1, 3);
      }
      // CUDA's provider leaves what works out shapes to the CPU on purpose.
      if (device.name === "webgpu") expect(JSON.stringify(device.onCpu)).toBe(before);
    },
  );

  test.each(models)("%s: the gradient of every parameter is that of the CPU", async (name) => {
    // One update by plain SGD at a rate of 1 takes the gradient away.
    const plain = { optimizer: sgd(), maxGradNorm: 0 };
    const [there, here] = [await prepared(name, device, plain), await prepared(name, undefined, plain)];
    const [, { gradientNorm }] = [await there.run(1), await here.run(1)];
    expect(gradientNorm).toBeGreaterThan(0.01);
    const [ours, cpu] = [valuesOf(there.step), valuesOf(here.step)];
    for (const [parameter, values] of cpu) {
      const apart = values.map((value, at) => value - (ours.get(parameter)?.[at] ?? Number.NaN));
      expect(norm(apart) / gradientNorm, parameter).toBeLessThan(3e-6);
    }
  });

  test("the gradient of a table is the same each time, to the last bit, though many tokens share a row", async () => {
    const [rows, width, tokens] = [8, 32, 2048];
    const [table, ids] = [input("table", "float32", [rows, width]), input("ids", "int32", [tokens])];
    const factors = input("factors", "float32", [tokens, width]);
    const [y] = grad(reduceSum(mul(gather(table, ids), factors)), [table]);
    const random = new Random(1);
    const drawn = (count: number) => Float32Array.from({ length: count }, () => random.normal());
    const from = {
      table: new TensorBuffer({ dtype: "float32", shape: [rows, width], data: drawn(rows * width) }),
      factors: new TensorBuffer({
        dtype: "float32",
        shape: [tokens, width],
        data: drawn(tokens * width),
      }),
      ids: new TensorBuffer({
        dtype: "int32",
        shape: [tokens],
        data: Int32Array.from({ length: tokens }, () => random.integer(7)),
      }),
    };
    const to = new TensorBuffer({ dtype: "float32", shape: [rows, width] });
    const program = new Program(
      { inputs: [table, ids, factors], outputs: { y: y as Tensor } },
      {},
      { device },
    );
    const call = program.bind(from, { y: to });
    await call.run();
    const first = to.data.slice();
    for (let again = 0; again < 30; again++) {
      await call.run();
      expect(to.data).toEqual(first);
    }
  });

  test("gradients accumulate there", async () => {
    const parts = { gradientAccumulationSteps: 2 };
    const [there, here] = [
      await prepared("gpt2, AdamW", device, parts),
      await prepared("gpt2, AdamW", undefined, parts),
    ];
    for (let update = 0; update < 3; update++) {
      const [ours, cpu] = [await there.run(), await here.run()];
      expect(ours.loss).toBeCloseTo(cpu.loss, 5);
      expect(ours.gradientNorm / cpu.gradientNorm).toBeCloseTo(1, 5);
    }
  });

  test("what was saved there goes on there to the same bytes, and on the CPU to the same numbers", async () => {
    const first = await prepared("gpt2, AdamW", device);
    for (let update = 0; update < 3; update++) await first.run();
    const saved = { ...first.step.snapshot(), step: first.step.step };
    const [on, again, cpu] = [first, await prepared("gpt2, AdamW", device), await prepared("gpt2, AdamW")];
    again.step.restore(saved);
    cpu.step.restore(saved);
    for (let update = 0; update < 2; update++) {
      const { loss } = await on.run();
      expect((await again.run()).loss).toBe(loss);
      expect((await cpu.run()).loss).toBeCloseTo(loss, 5);
    }
    for (const [name, { data }] of on.step.tensors().parameters)
      expect(again.step.tensors().parameters.get(name)?.data, name).toEqual(data);
    // A negative control: without the optimizer's state it goes elsewhere.
    const fresh = await prepared("gpt2, AdamW", device);
    fresh.step.restore({ ...saved, freshOptimizer: true });
    await fresh.run();
    await fresh.run();
    const [name] = [...saved.parameters.keys()];
    expect(fresh.step.tensors().parameters.get(name as string)?.data).not.toEqual(
      on.step.tensors().parameters.get(name as string)?.data,
    );
  });

  test("a copy that is taken when an update was begun has the numbers from before it", async () => {
    const { step, run } = await prepared("gpt2, AdamW", device);
    await run();
    const before = [...step.tensors().parameters].map(([, { data }]) => [...(data as Float32Array)]);
    const running = run();
    const copy = step.snapshot();
    await running;
    expect([...copy.parameters].map(([, { data }]) => [...(data as Float32Array)])).toEqual(before);
  });
});
