import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ExactSum } from "../../src/metrics/exact-sum.ts";

function total(numbers: Iterable<number>): number {
  const sum = new ExactSum();
  for (const number of numbers) sum.add(number);
  return sum.value;
}

describe("ExactSum", () => {
  test("adds integers that float64 addition would lose", () => {
    expect(total([2 ** 53, 1, 1])).toBe(2 ** 53 + 2);
    expect(total([1e100, 1, -1e100])).toBe(1);
    expect(total(Array.from({ length: 10 }, () => 0.1))).toBe(1);
    expect(total([])).toBe(0);
  });

  test("rounds once, correctly: sums of multiples of 2^−60 agree with integers", () => {
    const scaled = fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n });
    const shifts = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(fc.array(fc.tuple(scaled, shifts), { maxLength: 30 }), (terms) => {
        const exact = terms.reduce((sum, [n, shift]) => sum + (n << BigInt(shift)), 0n);
        // Number(bigint) rounds correctly, and dividing by a power of two is exact.
        expect(total(terms.map(([n, shift]) => Number(n) * 2 ** (shift - 60))) + 0).toBe(
          Number(exact) / 2 ** 60 + 0,
        );
      }),
      { numRuns: 1000 },
    );
  });
});
