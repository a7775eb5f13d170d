import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { measurePeak as measureGemm } from "../src/runtime/index.ts";

/** GFLOP/s in float32. */
export interface Peak {
  /** The best of several products of two 2048 × 2048 matrices in ONNX Runtime. */
  readonly gemm: number;
  /** Fused multiply-adds that stay in registers; `undefined` without a C compiler. */
  readonly registers: number | undefined;
}

export async function measurePeak(): Promise<Peak> {
  return { gemm: await measureGemm(), registers: registers() };
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
