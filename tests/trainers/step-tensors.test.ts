import { expect, test } from "vitest";
import { allFinite } from "../../src/trainers/step-tensors.ts";

test("one number that is not finite is found wherever it is, among any others", () => {
  for (let length = 0; length < 12; length++) {
    const data = Float32Array.from({ length }, (_, at) => (at % 2 === 0 ? 3e38 : -3e38));
    expect(allFinite(data)).toBe(true);
    for (let at = 0; at < length; at++)
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
        expect(allFinite(data.with(at, bad))).toBe(false);
  }
});
