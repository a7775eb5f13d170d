import { gemm, input } from "../tensor/index.ts";
import { TensorBuffer } from "./buffer.ts";
import { Program } from "./program.ts";

/** Large enough that a product is all computation, small enough to take a moment: 17 GFLOP, and 50 MB. */
const SIZE = 2048;
const MOST_PRODUCTS = 12;
const MILLISECONDS = 1500;

/**
 * What this machine computes at most in products of float32 matrices, in GFLOP/s: the best of several products of two
 * 2048 × 2048 matrices, in the library that also trains. Takes a second or two.
 */
export async function measurePeak(): Promise<number> {
  const shape = [SIZE, SIZE];
  const [a, b] = [input("a", "float32", shape), input("b", "float32", shape)];
  const program = new Program({ inputs: [a, b], outputs: { y: gemm(a, b) } });
  const filled = () =>
    new TensorBuffer({ dtype: "float32", shape, data: new Float32Array(SIZE * SIZE).fill(0.5) });
  const call = program.bind({ a: filled(), b: filled() }, { y: filled() });
  let best = Number.POSITIVE_INFINITY;
  const begun = performance.now();
  // The first is slower than the others: memory is fresh, threads are asleep.
  for (let at = 0; at < MOST_PRODUCTS && (at < 3 || performance.now() - begun < MILLISECONDS); at++) {
    const started = performance.now();
    await call.run();
    best = Math.min(best, performance.now() - started);
  }
  program.close();
  return (2 * SIZE ** 3) / best / 1e6;
}
