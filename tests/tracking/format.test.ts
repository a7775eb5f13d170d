import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatDuration,
  formatLoss,
  formatMetric,
  formatRate,
  formatShare,
  formatShort,
  niceInterval,
  printable,
  wrap,
} from "../../src/tracking/format.ts";

test.each([
  [0, "0"],
  [0.00012, "1.2e-4"],
  [0.0123, "0.012"],
  [0.1, "0.10"],
  [0.534, "0.53"],
  [2.409, "2.41"],
  [9.996, "10.0"],
  [21.94, "21.9"],
  [99.97, "100"],
  [141.4, "141"],
  [999.6, "1.00k"],
  [37_120, "37.1k"],
  [1_234_567, "1.23M"],
  [-2.5, "-2.50"],
  [Number.NaN, "n/a"],
  [Number.POSITIVE_INFINITY, "∞"],
])("%d in few characters is %s", (value, text) => {
  expect(formatShort(value)).toBe(text);
});

test("a number in few characters has at most 6, and is right to half a per cent", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 1e11, noNaN: true }), (value) => {
      const text = formatShort(value);
      expect(text.length).toBeLessThanOrEqual(6);
      const unit = { k: 1e3, M: 1e6, G: 1e9 }[text.slice(-1)] ?? 1;
      expect(Math.abs(Number.parseFloat(text) * unit - value) / value).toBeLessThan(0.051);
    }),
  );
});

test.each([
  [0, "0s"],
  [44.6, "45s"],
  [59.6, "1m00s"],
  [65, "1m05s"],
  [3599, "59m59s"],
  [7380, "2h03m"],
  [100_800, "1d04h"],
  [-1, "0s"],
  [Number.POSITIVE_INFINITY, "?"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test("losses, rates and shares", () => {
  expect(formatLoss(3.21449)).toBe("3.214");
  expect(formatLoss(Number.NaN)).toBe("n/a");
  expect(formatRate(0.00095)).toBe("9.5e-4");
  expect(formatShare(0.3119)).toBe("31.2%");
  expect(formatShare(Number.NaN)).toBe("n/a");
});

test("metrics have their unit behind, or their name", () => {
  expect(formatMetric("bits_per_byte", 2.412)).toEqual([" 2.41 bits/byte"]);
  expect(formatMetric("perplexity", 21.94)).toEqual([" 21.9 perplexity"]);
  expect(formatMetric("token_accuracy", 0.312)).toEqual(["31.2% accuracy"]);
  expect(formatMetric("toy_metric", Number.NaN)).toEqual(["  n/a toy_metric"]);
  expect(formatMetric("f", { precision: 0.5, recall: 1 })).toEqual([" 0.50 f.precision", " 1.00 f.recall"]);
});

test.each([
  [1, 1],
  [20, 1],
  [21, 2],
  [100, 5],
  [1000, 50],
  [1234, 100],
  [1_000_000, 50_000],
])("of %d steps, every %d-th is shown", (total, interval) => {
  expect(niceInterval(total)).toBe(interval);
});

describe("text of others", () => {
  test("cannot move the cursor, colour the screen or turn the writing", () => {
    expect(printable("a\u001b[2Jb\rc\u0007\u009b1m\u202ed\u007f")).toBe("a␛[2Jb␍c␇�1m�d␡");
    expect(printable("a\r\nb\tc")).toBe("a\nb    c");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(text).replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
      }),
    );
  });

  test("is wrapped at spaces, and loses nothing else", () => {
    expect(wrap("aaa bbb ccc", 7)).toEqual(["aaa bbb", "ccc"]);
    expect(wrap("aaaaaaaaaa", 4)).toEqual(["aaaa", "aaaa", "aa"]);
    expect(wrap("a\n\nb", 9)).toEqual(["a", "", "b"]);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (text, width) => {
        const lines = wrap(text, width);
        for (const line of lines) expect([...line].length).toBeLessThanOrEqual(width);
        expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(/[ \n]/g, ""));
      }),
    );
  });
});
