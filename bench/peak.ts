import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Program, TensorBuffer } from "../src/runtime/index.ts";
import { gemm, input } from "../src/tensor/index.ts";

/** GFLOP/s in float32. */
export interface Peak {
  /** The best of several products of two 2048 × 2048 matrices in ONNX Runtime. */
  readonly gemm: number;
  /** Fused multiply-adds that stay in registers; `undefined` without a C compiler. */
  readonly registers: number | undefined;
}

const SIZE = 2048;

export async function measurePeak(): Promise<Peak> {
  const shape = [SIZE, SIZE];
  const [a, b] = [input("a", "float32", shape), input("b", "float32", shape)];
  const program = new Program({ inputs: [a, b], outputs: { y: gemm(a, b) } });
  const filled = () =>
    new TensorBuffer({ dtype: "float32", shape, data: new Float32Array(SIZE * SIZE).fill(0.5) });
  const call = program.bind({ a: filled(), b: filled() }, { y: filled() });
  let best = Number.POSITIVE_INFINITY;
  for (let at = 0; at < 12; at++) {
    const started = performance.now();
    await call.run();
    best = Math.min(best, performance.now() - started);
  }
  return { gemm: (2 * SIZE ** 3) / best / 1e6, registers: registers() };
}

function registers(): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), "codex-ml-peak-"));
  try {
    const program = join(folder, "peak");
    const source = join(import.meta.dirname, "peak.c");
    const flags = ["-O3", "-march=native", "-ffp-contract=fast", "-pthread"];
    execFileSync(process.env.CC ?? "cc", [...flags, source, "-o", program], { stdio: "ignore" });
    const once = () =>
      Number.parseFloat(execFileSync(program, [`${availableParallelism()}`], { encoding: "utf8" }));
    return Math.max(once(), once(), once());
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
