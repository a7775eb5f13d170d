import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/tensor/index.ts";
import { nextTokens } from "../../../src/trainers/generation/distribution.ts";
import type { SamplingOptions } from "../../../src/trainers/generation/options.ts";
import { sampleToken } from "../../../src/trainers/generation/sampling.ts";

describe("sampling", () => {
  const logits = Float32Array.from([0, 2, 1, -1]);
  const draws = (options: Parameters<typeof sampleToken>[1]) => {
    const random = new Random(1);
    const counts = [0, 0, 0, 0];
    for (let at = 0; at < 4000; at++) {
      const id = sampleToken(logits, options, random);
      counts[id] = (counts[id] ?? 0) + 1;
    }
    return counts.map((count) => count / 4000);
  };
  const softmax = (temperature: number) => {
    const weights = [...logits].map((value) => Math.exp(value / temperature));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((value) => value / sum);
  };

  test.each([1, 0.5, 2])("at temperature %s draws follow the softmax", (temperature) => {
    for (const [id, share] of softmax(temperature).entries())
      expect(Math.abs((draws({ temperature })[id] ?? 0) - share)).toBeLessThan(0.03);
  });
  test("top-k keeps the k most likely", () =>
    expect(draws({ topK: 2 }).map((share) => share > 0)).toEqual([false, true, true, false]));
  test("top-p keeps the most likely that reach p, the one that crosses it included", () => {
    // 0.644 for id 1, 0.881 with id 2.
    expect(draws({ topP: 0.6 }).map((share) => share > 0)).toEqual([false, true, false, false]);
    expect(draws({ topP: 0.7 }).map((share) => share > 0)).toEqual([false, true, true, false]);
    expect(draws({ topP: 0 }).map((share) => share > 0)).toEqual([false, true, false, false]);
  });
  test("logits that are not finite are an error", () => {
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => sampleToken(Float32Array.from([0, broken, 1]), {}, new Random(1))).toThrow(/not finite/);
  });
  test("ties go to the smaller id", () =>
    expect(sampleToken(Float32Array.from([1, 1]), { temperature: 0 }, new Random(1))).toBe(0));
});

/** Few different values, so that ties are common; −∞ is what a model may say of a token that cannot come. */
const someLogits = fc
  .array(fc.oneof(fc.integer({ min: -8, max: 8 }), fc.constant(Number.NEGATIVE_INFINITY)), {
    minLength: 1,
    maxLength: 60,
  })
  .filter((values) => values.some(Number.isFinite))
  .map((values) => Float32Array.from(values));
const optional = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { nil: undefined });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const someOptions: fc.Arbitrary<SamplingOptions> = fc.record({
  temperature: fc.double({ min: 0.1, max: 5, noNaN: true }),
  topK: optional(fc.integer({ min: 1, max: 70 })),
  topP: optional(share),
  minP: optional(share),
});

/** The filters word for word, over a full sort: slow, and plain to see. */
function plainFilters(
  logits: Float32Array,
  { temperature = 1, topK, topP, minP }: SamplingOptions,
): number[] {
  const scores = [...logits].map((logit) => logit / temperature);
  const sorted = [...scores].sort((a, b) => b - a);
  const atLeast = sorted[Math.min(topK ?? scores.length, scores.length) - 1] as number;
  let left = [...scores.keys()].filter((id) => (scores[id] as number) >= atLeast);
  const weight = (id: number) => Math.exp((scores[id] as number) - (sorted[0] as number));
  if (topP !== undefined && topP < 1) {
    const order = left.toSorted((a, b) => weight(b) - weight(a) || a - b);
    const total = order.map(weight).reduce((sum, one) => sum + one, 0);
    let before = 0;
    const inside = order.filter((id, at) => {
      const isIn = at === 0 || before < topP * total;
      before += weight(id);
      return isIn;
    });
    left = inside.sort((a, b) => a - b);
  }
  return left.filter((id) => minP === undefined || weight(id) >= minP);
}

describe("whatever logits and options", () => {
  test("the filters leave what the definitions say", () =>
    fc.assert(
      fc.property(someLogits, someOptions, (logits, options) => {
        expect(Array.from(nextTokens(logits, options).ids)).toEqual(plainFilters(logits, options));
      }),
      { numRuns: 500 },
    ));

  test("top-k leaves the k largest of numbers in any order", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.nat(), (length, seed, count) => {
        const order = new Random(seed).permutation(length);
        const k = 1 + (count % length);
        const largest = [...order.keys()].filter((id) => (order[id] ?? 0) >= length - k);
        expect(Array.from(nextTokens(Float32Array.from(order), { topK: k }).ids)).toEqual(largest);
      }),
      { numRuns: 300 },
    ));

  test("the most likely token is always left, and what is drawn is left and can come", () =>
    fc.assert(
      fc.property(someLogits, someOptions, fc.nat(), (logits, options, seed) => {
        const { ids } = nextTokens(logits, options);
        expect(Array.from(ids)).toContain(logits.indexOf(Math.max(...logits)));
        const id = sampleToken(logits, options, new Random(seed));
        expect(Array.from(ids)).toContain(id);
        expect(logits[id]).toBeGreaterThan(Number.NEGATIVE_INFINITY);
      }),
      { numRuns: 500 },
    ));

  test("a tighter filter leaves a part of what a looser one leaves", () =>
    fc.assert(
      fc.property(someLogits, share, share, (logits, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const left = (options: SamplingOptions) => new Set(Array.from(nextTokens(logits, options).ids));
        for (const id of left({ topP: low })) expect(left({ topP: high })).toContain(id);
        for (const id of left({ minP: high })) expect(left({ minP: low })).toContain(id);
      }),
    ));

  test("the penalty makes tokens of the text less likely and leaves the others as they are", () =>
    fc.assert(
      fc.property(someLogits, fc.array(fc.nat(80)), (logits, seen) => {
        const before = logits.slice();
        const [plain, penalized] = [
          nextTokens(logits, {}),
          nextTokens(logits, { repetitionPenalty: 2 }, seen),
        ];
        expect(logits).toEqual(before);
        const share = ({ weights }: typeof plain, id: number) =>
          (weights[id] as number) / weights.reduce((sum, weight) => sum + weight, 0);
        for (const id of seen)
          if (id < logits.length && logits[id] !== 0 && new Set(seen).size === 1)
            expect(share(penalized, id)).toBeLessThanOrEqual(share(plain, id) + 1e-12);
      }),
    ));
});
