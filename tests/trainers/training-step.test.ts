import { describe, expect, test } from "vitest";
import type { Model } from "../../src/models/index.ts";
import { Embedding, IGNORE_INDEX, Module, normal, Parameter, zeros } from "../../src/nn/index.ts";
import { adamW } from "../../src/optim/index.ts";
import { add, broadcastTo, type Tensor } from "../../src/tensor/index.ts";
import type { Batch } from "../../src/trainers/batching.ts";
import { TrainingStep, type TrainingStepOptions } from "../../src/trainers/training-step.ts";
import { smallGpt } from "./fixtures.ts";

const B = 4;
const T = 8;

async function newStep(options: Partial<TrainingStepOptions> = {}): Promise<TrainingStep> {
  return new TrainingStep({
    model: options.model ?? (await smallGpt()),
    optimizer: adamW(),
    batchSize: B,
    sequenceLength: T,
    gradientAccumulationSteps: 1,
    maxGradNorm: 1,
    seed: 1,
    ...options,
  });
}

/** Rows with ragged numbers of labels that count. */
function ragged(rows: number, counts: readonly number[], shift = 0): Batch {
  const inputIds = Int32Array.from({ length: rows * T }, (_, at) => (at * 7 + shift) % 20);
  const labels = inputIds.map((id, at) =>
    at % T < (counts[Math.floor(at / T)] ?? T) ? (id + 3) % 20 : IGNORE_INDEX,
  );
  return { inputIds, labels, counted: labels.filter((label) => label !== IGNORE_INDEX).length, rows };
}

/** Rows `from` to `to` of a batch. */
function rowsOf(batch: Batch, from: number, to: number): Batch {
  const labels = batch.labels.slice(from * T, to * T);
  const counted = labels.filter((label) => label !== IGNORE_INDEX).length;
  return { inputIds: batch.inputIds.slice(from * T, to * T), labels, counted, rows: to - from };
}

function weightsOf(step: TrainingStep): Record<string, number[]> {
  return Object.fromEntries(Object.entries(step.weights).map(([name, { data }]) => [name, [...data]]));
}

describe("gradient accumulation", () => {
  for (const parts of [2, 4])
    test(`in ${parts} parts equals one batch: loss, gradient norm and weights, with ragged counts`, async () => {
      const whole = await newStep();
      const pieces = await newStep({ batchSize: B / parts, gradientAccumulationSteps: parts });
      for (let update = 0; update < 5; update++) {
        const batch = ragged(B, [8, 1, 3, 6], update);
        const split = Array.from({ length: parts }, (_, part) =>
          rowsOf(batch, (part * B) / parts, ((part + 1) * B) / parts),
        );
        const a = await whole.run([batch], 1e-2);
        const b = await pieces.run(split, 1e-2);
        expect(b.loss).toBeCloseTo(a.loss, 5);
        expect(b.gradientNorm).toBeCloseTo(a.gradientNorm, 4);
      }
      const [a, b] = [weightsOf(whole), weightsOf(pieces)];
      // The key's bias has no gradient but rounding noise, which AdamW blows up; everything else agrees.
      for (const [name, values] of Object.entries(a))
        for (const [at, value] of values.entries())
          if (!name.endsWith("c_attn.bias")) expect(b[name]?.[at], name).toBeCloseTo(value, 4);
    });

  test("weighs tokens, not batches: a mean of the batches' means would differ", async () => {
    const batch = ragged(2, [8, 1]);
    const step = await newStep({ batchSize: 1, gradientAccumulationSteps: 2, maxGradNorm: 0 });
    const rows = [rowsOf(batch, 0, 1), rowsOf(batch, 1, 2)];
    const { loss } = await step.run(rows, 0);
    const means = await Promise.all(
      rows.map(async (row) => (await (await newStep({ batchSize: 1 })).run([row], 0)).loss),
    );
    const [a = 0, b = 0] = means;
    expect(loss).toBeCloseTo((8 * a + b) / 9, 5);
    expect(Math.abs(loss - (a + b) / 2)).toBeGreaterThan(1e-3);
  });
});

describe("determinism", () => {
  const train = async (seed: number, dropout = 0.2) => {
    const step = await newStep({ model: await smallGpt({ dropout }), seed });
    for (let update = 0; update < 5; update++) await step.run([ragged(B, [8, 5, 3, 6], update)], 1e-2);
    return weightsOf(step);
  };

  test("the same seed gives the same bytes, dropout included; another seed does not", async () => {
    const first = await train(1);
    expect(await train(1)).toEqual(first);
    expect(await train(2)).not.toEqual(first);
  });

  test("dropout changes what is learned", async () => {
    expect(await train(1, 0)).not.toEqual(await train(1, 0.2));
  });

  test("a parameter's first values do not depend on the rest of the model", async () => {
    const [small, large] = [
      await newStep(),
      await newStep({ model: await smallGpt({ numHiddenLayers: 3 }) }),
    ];
    const name = "transformer.h.0.mlp.c_fc.weight";
    expect([...(large.weights[name]?.data ?? [])]).toEqual([...(small.weights[name]?.data ?? [])]);
  });
});

test("a learning rate of 0 without decay leaves the weights as they are", async () => {
  const step = await newStep({ optimizer: adamW({ weightDecay: 0 }) });
  const before = weightsOf(step);
  await step.run([ragged(B, [])], 0);
  expect(weightsOf(step)).toEqual(before);
});

test("clipping caps the gradient that the update sees, and reports the norm before it", async () => {
  const free = await newStep({ maxGradNorm: 0 });
  const { gradientNorm } = await free.run([ragged(B, [])], 1e-3);
  const clipped = await newStep({ maxGradNorm: gradientNorm / 10 });
  expect((await clipped.run([ragged(B, [])], 1e-3)).gradientNorm).toBeCloseTo(gradientNorm, 5);
  const norm = (step: TrainingStep) =>
    Math.hypot(
      ...Object.entries(step.slots).flatMap(([name, { data }]) =>
        name.startsWith("momentum/") ? [...data] : [],
      ),
    );
  expect(norm(clipped) / norm(free)).toBeCloseTo(0.1, 3);
});

describe("what cannot be trained is an error that says so", () => {
  class Odd extends Module implements Model {
    readonly task = "causal_lm";
    readonly vocabSize = 20;
    readonly maxPositionEmbeddings = T;
    readonly config = {};
    readonly table: Embedding;
    readonly unused = new Parameter([3], zeros);
    readonly #forward: (self: Odd, ids: Tensor) => Tensor;
    constructor(forward: (self: Odd, ids: Tensor) => Tensor, shape = [20, 20]) {
      super();
      this.table = Object.assign(new Embedding(20, 20), { weight: new Parameter(shape, normal(0.02)) });
      this.#forward = forward;
    }
    forward({ inputIds }: { inputIds: Tensor }) {
      return { logits: this.#forward(this, inputIds) };
    }
  }

  test("a parameter that the loss does not depend on", async () => {
    await expect(newStep({ model: new Odd((self, ids) => self.table.forward(ids)) })).rejects.toThrow(
      /does not depend on the parameter "unused"/,
    );
  });

  test("a model that ignores its input", async () => {
    const blind = new Odd((self) => broadcastTo(self.table.weight, [B, T, 20]), [1, 1, 20]);
    await expect(newStep({ model: blind })).rejects.toThrow(/logits do not depend on its input/);
  });

  test("logits of another shape", async () => {
    const fixed = new Odd((self) => add(self.table.weight, self.table.weight));
    await expect(newStep({ model: fixed })).rejects.toThrow(
      /logits float32\(20, 20\); a causal language model gives \(4, 8, 20\)/,
    );
  });

  test("a parameter with a name that the graph uses", async () => {
    const taken = Object.assign(new Odd((self, ids) => self.table.forward(ids)), {
      losses: new Parameter([2], zeros),
    });
    await expect(newStep({ model: taken })).rejects.toThrow(
      /parameter "losses".*Give the field another name/,
    );
  });

  test("numbers that float32 cannot hold, and weights that an update ruined", async () => {
    const step = await newStep({ maxGradNorm: 0 });
    await expect(step.run([ragged(B, [])], 1e39)).rejects.toThrow(/float32 can hold/);
    await step.run([ragged(B, [])], 1e-3);
    const table = step.weights["transformer.wte.weight"];
    if (table) table.data[3] = Number.POSITIVE_INFINITY;
    expect(() => step.tensors()).toThrow(/Step 1 left the parameter ".+" with numbers that are not finite/);
  });

  test("two updates at once", async () => {
    const step = await newStep();
    const first = step.run([ragged(B, [])], 1e-3);
    await expect(step.run([ragged(B, [], 5)], 1e-3)).rejects.toThrow(/update is running/);
    expect((await first).loss).toBe((await (await newStep()).run([ragged(B, [])], 1e-3)).loss);
  });

  test("a batch without a label that counts", async () => {
    const step = await newStep();
    await expect(step.run([ragged(B, [0, 0, 0, 0])], 1e-3)).rejects.toThrow(/Step 1: every label .* ignored/);
  });

  test("a loss that is not a number; the weights before the step are kept", async () => {
    const step = await newStep();
    await step.run([ragged(B, [])], 1e-3);
    const table = step.weights["transformer.wte.weight"];
    if (table) table.data[0] = Number.NaN;
    const before = step.weights;
    await expect(step.run([ragged(B, [])], 1e-3)).rejects.toThrow(
      /Step 2: the loss is NaN at learning rate 0.001/,
    );
    expect(step.weights).toBe(before);
    expect(step.step).toBe(1);
  });

  test("another number of batches than the update takes", async () => {
    await expect((await newStep()).run([], 1e-3)).rejects.toThrow(/takes 1 batches; got 0/);
  });
});

describe("gradient checkpointing", () => {
  test("gives the same weights to the last bit, with dropout", async () => {
    const kept = await newStep({ model: await smallGpt({ dropout: 0.1 }) });
    const again = await newStep({ model: await smallGpt({ dropout: 0.1 }), gradientCheckpointing: true });
    for (let update = 0; update < 3; update++) {
      const batch = ragged(B, [8, 1, 3, 6], update);
      const { seconds: _, ...expected } = await kept.run([batch], 1e-2);
      expect(await again.run([batch], 1e-2)).toMatchObject(expected);
    }
    expect(weightsOf(again)).toEqual(weightsOf(kept));
  });

  test("gives the same where attention goes block by block, and so does a second run", async () => {
    const length = 260;
    const inputIds = Int32Array.from({ length }, (_, at) => (at * 7) % 11);
    const batch = { inputIds, labels: inputIds.map((id) => (id + 1) % 11), counted: length, rows: 1 };
    const train = async (gradientCheckpointing: boolean) => {
      const model = await smallGpt({ maxPositionEmbeddings: length });
      const step = await newStep({ model, batchSize: 1, sequenceLength: length, gradientCheckpointing });
      for (let update = 0; update < 3; update++) await step.run([batch], 1e-2);
      return weightsOf(step);
    };
    const kept = await train(false);
    expect(await train(false)).toEqual(kept);
    expect(await train(true)).toEqual(kept);
  });

  test("of a model without layers is refused", async () => {
    await expect(newStep({ model: new Table(), gradientCheckpointing: true })).rejects.toThrow(
      /gradientCheckpointing computes layers again, and the model has none/,
    );
  });
});

/** Logits of the next token, looked up by the last one. */
class Table extends Module implements Model {
  readonly task = "causal_lm";
  readonly vocabSize = 20;
  readonly maxPositionEmbeddings = T;
  readonly config = {};
  readonly table = new Embedding(20, 20, normal(0.02));
  forward({ inputIds }: { readonly inputIds: Tensor }) {
    return { logits: this.table.forward(inputIds) };
  }
}
