import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EvaluatedExample, getMetric, type StreamingMetric } from "../../src/metrics/index.ts";

async function streaming(name: string): Promise<StreamingMetric> {
  const metric = await getMetric(name);
  if (typeof metric === "function") throw new Error(`${name} is not streaming`);
  return metric;
}

function example(
  labels: number[],
  rest: { tokenLosses?: number[]; predictedIds?: number[]; labelBytes?: number[] } = {},
): EvaluatedExample {
  return {
    labels: Int32Array.from(labels),
    ...(rest.tokenLosses && { tokenLosses: Float32Array.from(rest.tokenLosses) }),
    ...(rest.predictedIds && { predictedIds: Int32Array.from(rest.predictedIds) }),
    ...(rest.labelBytes && { labelBytes: Int32Array.from(rest.labelBytes) }),
  };
}

/** What a metric is, written down once more and plainly: over all tokens of all examples. */
const formulas: Readonly<Record<string, (examples: readonly EvaluatedExample[]) => number>> = {
  perplexity: (examples) => Math.exp(sum(examples, "tokenLosses") / count(examples)),
  bits_per_byte: (examples) => sum(examples, "tokenLosses") / (sum(examples, "labelBytes") * Math.log(2)),
  token_accuracy: (examples) =>
    examples.flatMap(({ labels, predictedIds }) =>
      [...labels].filter((label, i) => label === predictedIds?.[i]),
    ).length / count(examples),
};

function sum(examples: readonly EvaluatedExample[], input: "tokenLosses" | "labelBytes"): number {
  return examples.flatMap((one) => [...(one[input] ?? [])]).reduce((a, b) => a + b, 0);
}

function count(examples: readonly EvaluatedExample[]): number {
  return examples.reduce((n, one) => n + one.labels.length, 0);
}

const token = fc.record({
  label: fc.nat(5),
  predicted: fc.nat(5),
  loss: fc.float({ min: 0, max: 30, noNaN: true }),
  bytes: fc.integer({ min: 1, max: 9 }),
});
const examples = fc.array(
  fc.array(token, { maxLength: 8 }).map((tokens) =>
    example(
      tokens.map(({ label }) => label),
      {
        tokenLosses: tokens.map(({ loss }) => loss),
        predictedIds: tokens.map(({ predicted }) => predicted),
        labelBytes: tokens.map(({ bytes }) => bytes),
      },
    ),
  ),
  { maxLength: 12 },
);

describe.each(Object.keys(formulas))("%s", (name) => {
  test("is its formula over all tokens", async () => {
    const metric = await streaming(name);
    fc.assert(
      fc.property(examples, (all) => {
        metric.reset();
        for (const one of all) metric.update(one);
        const expected = formulas[name]!(all);
        if (Number.isNaN(expected)) expect(metric.compute()).toBeNaN();
        else
          expect(Math.abs((metric.compute() as number) / (expected || 1) - (expected && 1))).toBeLessThan(
            1e-12,
          );
      }),
    );
  });

  test("is the same to the last bit however the split was divided and merged", async () => {
    const whole = await streaming(name);
    const parts = await Promise.all([0, 1, 2, 3].map(() => streaming(name)));
    const total = await streaming(name);
    fc.assert(
      fc.property(
        examples,
        fc.infiniteStream(fc.nat(3)),
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        (all, choices, order) => {
          for (const metric of [whole, total, ...parts]) metric.reset();
          for (const one of all) {
            whole.update(one);
            parts[choices.next().value]!.update(one);
          }
          for (const i of order) total.merge(JSON.parse(JSON.stringify(parts[i]!.state())));
          expect(total.compute()).toBe(whole.compute());
        },
      ),
    );
  });

  test("is NaN over no tokens, again after reset", async () => {
    const metric = await streaming(name);
    expect(metric.compute()).toBeNaN();
    metric.update(example([1], { tokenLosses: [1], predictedIds: [1], labelBytes: [1] }));
    expect(metric.compute()).not.toBeNaN();
    metric.reset();
    expect(metric.compute()).toBeNaN();
    metric.update(example([], { tokenLosses: [], predictedIds: [], labelBytes: [] }));
    expect(metric.compute()).toBeNaN();
  });

  test("says when it was not given what it reads", async () => {
    const metric = await streaming(name);
    const input = metric.reads.at(-1)!;
    expect(() => metric.update(example([1, 2]))).toThrow(new RegExp(`${name} reads .*was given none`));
    const short = { tokenLosses: [1], predictedIds: [1], labelBytes: [1] };
    expect(() => metric.update(example([1, 2], short))).toThrow(/each of the 2 labels, and was given 1/);
    expect(input).toBeDefined();
  });

  test("refuses a state that is not its own, and unknown options", async () => {
    const metric = await streaming(name);
    expect(() => metric.merge({ nonsense: 1 })).toThrow(`${name} cannot merge`);
    await expect(getMetric(name, { window: 3 })).rejects.toThrow(/window/);
  });
});

describe("by hand", () => {
  test("perplexity of probabilities 1/2 and 1/8 is 4", async () => {
    const metric = await streaming("ppl");
    metric.update(example([5, 6], { tokenLosses: [Math.log(2), Math.log(8)] }));
    expect(metric.compute()).toBeCloseTo(4, 6);
  });

  test("perplexity weighs tokens, not sequences", async () => {
    const metric = await streaming("perplexity");
    metric.update(example([1], { tokenLosses: [4] }));
    metric.update(example([1, 1, 1], { tokenLosses: [0, 0, 0] }));
    expect(metric.compute()).toBeCloseTo(Math.E, 12);
  });

  test("bits per byte: two tokens of 3 bits each over 4 bytes are 1.5", async () => {
    const metric = await streaming("bits_per_byte");
    metric.update(example([1, 2], { tokenLosses: [Math.log(8), Math.log(8)], labelBytes: [1, 3] }));
    expect(metric.compute()).toBeCloseTo(1.5, 6);
  });

  test("bits per byte: a special token costs bits and adds no byte", async () => {
    const metric = await streaming("bits_per_byte");
    metric.update(example([256], { tokenLosses: [1], labelBytes: [0] }));
    expect(metric.compute()).toBeNaN();
    metric.update(example([65], { tokenLosses: [1], labelBytes: [1] }));
    expect(metric.compute()).toBeCloseTo(2 / Math.LN2, 12);
  });

  test("accuracy: one of four right", async () => {
    const metric = await streaming("accuracy@token");
    metric.update(example([1, 2, 3, 4], { predictedIds: [1, 1, 1, 1] }));
    expect(metric.compute()).toBe(0.25);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "a loss of %d is not hidden, merged or not",
    async (loss) => {
      const metric = await streaming("perplexity");
      const other = await streaming("perplexity");
      metric.update(example([1, 2], { tokenLosses: [1, loss] }));
      other.merge(JSON.parse(JSON.stringify(metric.state())));
      expect(metric.compute()).toBe(loss);
      expect(other.compute()).toBe(loss);
    },
  );
});
