/** A product with a transposed first factor is what it is when written out, whichever way its lowering chooses. */
import { expect, test } from "vitest";
import { gemm, Random } from "../../src/tensor/index.ts";
import { evaluate, randomInput } from "./evaluate.ts";

/** α · Σₖ a[k, m] · b[k, n], in float64, of numbers rounded to float32. */
function writtenOut(
  a: Float64Array,
  b: Float64Array,
  [K, M, N]: readonly [number, number, number],
  alpha: number,
): Float64Array {
  const sums = new Float64Array(M * N);
  for (let k = 0; k < K; k++)
    for (let m = 0; m < M; m++) {
      const factor = alpha * Math.fround(a[k * M + m] as number);
      for (let n = 0; n < N; n++)
        sums[m * N + n] = (sums[m * N + n] as number) + factor * Math.fround(b[k * N + n] as number);
    }
  return sums;
}

test.each([
  ["in groups of rows, the first factor turned", 1024, 128, 160],
  ["in groups of rows, the second factor turned and the product turned back", 1024, 160, 128],
  ["whole, where rows do not make groups", 700, 128, 200],
  ["whole, the second factor turned and the product turned back", 700, 200, 128],
  ["one group", 512, 130, 140],
  ["few rows", 64, 128, 200],
  ["a narrow side", 1024, 16, 300],
])("%s", async (_, K, M, N) => {
  const random = new Random(K + M);
  const a = randomInput("a", [K, M], random, "float32");
  const b = randomInput("b", [K, N], random, "float32");
  for (const alpha of [1, 1 / 3]) {
    const { product } = await evaluate(
      { product: gemm(a.tensor, b.tensor, { transA: true, alpha }) },
      { a: a.values, b: b.values },
    );
    const wanted = writtenOut(a.values, b.values, [K, M, N], alpha);
    expect(product).toHaveLength(wanted.length);
    const furthest = product?.reduce((most, value, at) => {
      const off = Math.abs(value - (wanted[at] as number));
      return Number.isNaN(off) ? off : Math.max(most, off);
    }, 0);
    // Sums of up to 1,024 products below 1: float32 is right to about 1e-7 of their size.
    expect(furthest).toBeLessThan(5e-5);
  }
});
