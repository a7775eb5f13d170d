import fc from "fast-check";
import { expect, test } from "vitest";
import { windowStart } from "../../../src/trainers/generation/window.ts";

const seen = (length: number, promptLength: number, positions: number) =>
  length - windowStart(length, promptLength, positions);

test("a text that fits is seen whole, and of a prompt that does not, its end", () => {
  expect(seen(10, 3, 10)).toBe(10);
  expect(seen(25, 25, 10)).toBe(10);
  expect(windowStart(1e6, 3, Number.POSITIVE_INFINITY)).toBe(0);
});

test("a text that has outgrown its positions goes on from half of them", () => {
  expect([10, 11, 12, 15, 16].map((length) => seen(length, 3, 10))).toEqual([10, 6, 7, 10, 6]);
});

test("never more than the positions, never less than half of them, and moved at most once in half of them", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 100 }),
      (positions, promptLength) => {
        const starts = Array.from({ length: 200 }, (_, written) =>
          windowStart(promptLength + written, promptLength, positions),
        );
        for (const [written, start] of starts.entries()) {
          const length = promptLength + written - start;
          expect(length).toBeLessThanOrEqual(positions);
          expect(length).toBeGreaterThanOrEqual(
            Math.min(promptLength + written, Math.floor(positions / 2) + 1),
          );
        }
        const moves = starts.filter((start, at) => at > 0 && start !== starts[at - 1]).length;
        expect(moves).toBeLessThanOrEqual(Math.ceil(200 / Math.ceil(positions / 2)));
      },
    ),
  ));
