/** Where the time of training goes: what is found of real updates, and how it is put together. */
import { describe, expect, test } from "vitest";
import { adamW } from "../../src/optim/index.ts";
import { measurePeak, type ProgramProfile } from "../../src/runtime/index.ts";
import type { Batch } from "../../src/trainers/batching.ts";
import { foldLayers, readPlace, withoutRoot } from "../../src/trainers/profile-places.ts";
import { reportNodes } from "../../src/trainers/profile-report.ts";
import { TrainingProfiler } from "../../src/trainers/training-profiler.ts";
import { TrainingStep, type TrainingStepOptions } from "../../src/trainers/training-step.ts";
import { smallGpt } from "./fixtures.ts";

const shape = { L: 2, C: 16, V: 20, T: 8, B: 4 };

async function newStep(options: Partial<TrainingStepOptions> = {}): Promise<TrainingStep> {
  return new TrainingStep({
    model: await smallGpt({ numHiddenLayers: shape.L }),
    optimizer: adamW(),
    batchSize: shape.B,
    sequenceLength: shape.T,
    maxGradNorm: 1,
    seed: 1,
    ...options,
  });
}

const batch = (shift: number): Batch => {
  const inputIds = Int32Array.from({ length: shape.B * shape.T }, (_, at) => (at * 7 + shift) % 20);
  return { inputIds, labels: inputIds.map((id) => (id + 3) % 20), counted: inputIds.length, rows: shape.B };
};

/** Measured once for all. */
const peak = measurePeak();

async function profiled(updates: number, options: Partial<TrainingStepOptions> = {}) {
  const profiler = new TrainingProfiler(() => peak);
  profiler.plan(updates);
  const step = await newStep({ ...options, profiler });
  const many = options.gradientAccumulationSteps ?? 1;
  for (let update = 0; update < updates; update++)
    await step.run(
      Array.from({ length: many }, (_, at) => batch(update * many + at)),
      1e-2,
    );
  const found = await profiler.finish();
  if (found === undefined) throw new Error("no profile");
  return { step, found };
}

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

describe("of real updates", () => {
  test("a warm-up is let pass, at most half of the rest is looked into, and the others are compared with", async () => {
    const { found } = await profiled(12);
    expect(found.window).toEqual({ from: 4, steps: 5 });
    expect(found.overhead.plainSteps).toBe(4);
    expect(found.overhead.plain).toBeGreaterThan(0);
    const long = await profiled(40);
    expect(long.found.window).toEqual({ from: 6, steps: 18 });
    expect((await profiled(60)).found.window).toEqual({ from: 6, steps: 20 });
  });

  test("one update alone is looked into, with nothing to compare with", async () => {
    const { found } = await profiled(1);
    expect(found.window).toEqual({ from: 1, steps: 1 });
    expect(found.overhead.plain).toBeUndefined();
  });

  test("weights come to the same bytes as without", async () => {
    const plain = await newStep();
    for (let update = 0; update < 8; update++) await plain.run([batch(update)], 1e-2);
    const { step } = await profiled(8);
    for (const [name, { data }] of Object.entries(step.weights))
      expect(data, name).toEqual(plain.weights[name]?.data);
  });

  test("the account of a step adds up, and every side of it is the same time", async () => {
    const { found } = await profiled(12);
    expect(sum(Object.values(found.time))).toBeCloseTo(found.milliseconds, 6);
    const { forward, backward, update, library, recomputation } = found.time;
    const inNodes = forward + backward + recomputation + update + library;
    for (const rows of [found.parts, found.layers, found.operators, found.nodes])
      expect(sum(rows.map(({ milliseconds }) => milliseconds))).toBeCloseTo(inNodes, 6);
    for (const time of [forward, backward, update]) expect(time).toBeGreaterThan(0);
    expect(recomputation).toBe(0);
  });

  test("parts are those of the model, layers folded or each by itself", async () => {
    const { found } = await profiled(4);
    const count = Object.fromEntries(found.parts.map(({ name, count }) => [name, count]));
    expect(count["transformer.h.*.attn.c_attn"]).toBe(2);
    expect(count["transformer.ln_f"]).toBe(1);
    expect(count.optimizer).toBe(1);
    const layers = found.layers.map(({ name }) => name);
    expect(layers).toContain("transformer.h.0.mlp.c_fc");
    expect(layers).toContain("transformer.h.1.mlp.c_fc");
    const operators = Object.fromEntries(found.operators.map((row) => [row.name, row]));
    for (const name of ["gemm", "layerNorm", "gelu", "attention"]) {
      expect(operators[name]?.forward, name).toBeGreaterThan(0);
      expect(operators[name]?.backward, name).toBeGreaterThan(0);
    }
  });

  test("floating-point operations are those counted by hand, in parts and operators too, of every batch of an update", async () => {
    const { L, C, V, T, B } = shape;
    const once = B * T * (6 * (12 * L * C ** 2 + V * C) + 12 * L * T * C);
    for (const gradientAccumulationSteps of [1, 3]) {
      const { found } = await profiled(4, { gradientAccumulationSteps });
      const expected = (gradientAccumulationSteps * once) / 1e9;
      expect(found.compute.gigaflops).toBeCloseTo(expected, 12);
      for (const rows of [found.parts, found.operators])
        expect(sum(rows.map(({ gigaflops }) => gigaflops))).toBeCloseTo(expected, 12);
      expect(found.compute.recomputedGigaflops).toBeUndefined();
    }
  });

  test("what gradient checkpointing computes again has its own time, and is no use to the share of the peak", async () => {
    const plain = (await profiled(4)).found;
    const { found } = await profiled(4, { gradientCheckpointing: true });
    expect(found.time.recomputation).toBeGreaterThan(0);
    expect(found.compute.gigaflops).toBeCloseTo(plain.compute.gigaflops, 12);
    expect(found.compute.recomputedGigaflops).toBeGreaterThan(0);
    const { gigaflopsPerSecond, peakGigaflopsPerSecond, shareOfPeak } = found.compute;
    expect(shareOfPeak).toBeCloseTo(gigaflopsPerSecond / peakGigaflopsPerSecond, 12);
  });

  test("memory is that of the tensors, and of what lies between operators", async () => {
    const { step, found } = await profiled(4, { gradientAccumulationSteps: 2 });
    const numbers = sum(Object.values(step.weights).map(({ data }) => data.length));
    const { weights, gradients, optimizer, activations, process } = found.memory;
    expect({ weights, gradients, optimizer }).toEqual({
      weights: 4 * numbers,
      gradients: 2 * 4 * numbers,
      optimizer: 2 * 4 * numbers,
    });
    expect(activations).toBeGreaterThan(4 * shape.B * shape.T * shape.V);
    expect(process).toBeGreaterThan(weights + activations);
  });

  test("a graph that is built for the first batch of a length counts by itself, and all graphs are looked into", async () => {
    const profiler = new TrainingProfiler(() => peak);
    profiler.plan(4);
    const step = await newStep({ profiler });
    const short = (shift: number): Batch => {
      const { inputIds, labels } = batch(shift);
      const half = inputIds.length / 2;
      return {
        inputIds: inputIds.slice(0, half),
        labels: labels.slice(0, half),
        counted: half,
        rows: shape.B,
      };
    };
    for (const one of [batch(0), batch(1), short(2), batch(3)]) await step.run([one], 1e-2);
    const found = await profiler.finish();
    expect(found?.window.steps).toBe(2);
    expect(found?.time.compiling).toBeGreaterThan(0);
    expect(sum(Object.values(found?.time ?? {}))).toBeCloseTo(found?.milliseconds ?? 0, 6);
    const { L, C, V, T, B } = shape;
    const flops = (length: number) => B * length * (6 * (12 * L * C ** 2 + V * C) + 12 * L * length * C);
    expect(found?.compute.gigaflops).toBeCloseTo((flops(T) + flops(T / 2)) / 2e9, 12);
    expect((await profiled(4)).found.time.compiling).toBe(0);
  });

  test("an update that fails leaves the profile whole", async () => {
    const profiler = new TrainingProfiler(() => peak);
    profiler.plan(8);
    const step = await newStep({ profiler });
    await step.run([batch(0)], 1e-2);
    const labels = new Int32Array(shape.B * shape.T).fill(-100);
    await expect(step.run([{ ...batch(1), labels, counted: 0 }], 1e-2)).rejects.toThrow(/ignored/);
    for (let update = 2; update < 8; update++) await step.run([batch(update)], 1e-2);
    expect((await profiler.finish())?.window.steps).toBe(3);
  });

  test("without an update there is none", async () => {
    const profiler = new TrainingProfiler(() => peak);
    await newStep({ profiler });
    expect(await profiler.finish()).toBeUndefined();
  });
});

describe("a place", () => {
  test("is read as phase, part and operator", () => {
    expect(readPlace("gpt.h.3.attn/attention", "")).toEqual({
      phase: "forward",
      part: "gpt.h.3.attn",
      operator: "attention",
    });
    expect(readPlace("grad:gpt.h.3.ln_1/layerNorm/mul", "")).toEqual({
      phase: "backward",
      part: "gpt.h.3.ln_1",
      operator: "layerNorm",
    });
    expect(readPlace("again:gpt.h.3.ln_1/layerNorm", "").phase).toBe("recomputation");
    for (const scope of ["optimizer", "gradient norm", "gradient sum"])
      expect(readPlace(`${scope}/add`, "")).toEqual({ phase: "update", part: scope, operator: "add" });
  });

  test("of nobody is the library's", () => {
    expect(readPlace(undefined, "Transpose")).toEqual({
      phase: "library",
      part: "(made by the library)",
      operator: "(library) Transpose",
    });
    expect(readPlace("add", "Add").part).toBe("(no part)");
    expect(readPlace("grad:/gemm/gemm", "Gemm")).toEqual({
      phase: "backward",
      part: "(no part)",
      operator: "gemm",
    });
  });

  test("has layers that fold, and a root that goes if all have it", () => {
    expect(foldLayers("transformer.h.11.attn")).toBe("transformer.h.*.attn");
    expect(foldLayers("encoder.layer.3")).toBe("encoder.layer.*");
    expect(foldLayers("h.0.experts.7.up_2")).toBe("h.*.experts.*.up_2");
    expect(withoutRoot(["gpt.h.0", "gpt", "loss"])("gpt.h.0")).toBe("h.0");
    expect(withoutRoot(["gpt.h.0", "gpt", "loss"])("gpt")).toBe("gpt");
    expect(withoutRoot(["gpt.h.0", "other.h"])("gpt.h.0")).toBe("gpt.h.0");
  });
});

test("no node is lost, whatever the library calls it", () => {
  const node = (name: string, place: string | undefined, kernel: string, milliseconds: number) => ({
    ...{ name, place, kernel, milliseconds },
    calls: 4,
  });
  const program: ProgramProfile = {
    runs: 4,
    milliseconds: 40,
    nodes: [
      node("net.h.0/gemm_1", "net.h.0/gemm", "Gemm", 8),
      node("net.h.1/gemm_2", "net.h.1/gemm", "Gemm", 4),
      node("Transpose_token_3", undefined, "Transpose", 2),
      node("", undefined, "MemcpyToHost", 1),
    ],
    flops: new Map([
      ["net.h.0/gemm", 3e9],
      ["net.h.1/gemm", 1e9],
    ]),
  };
  const { parts, layers, operators, phases, flops } = reportNodes([program], 2, 10);
  expect(parts.map(({ name, milliseconds, share }) => [name, milliseconds, share])).toEqual([
    ["h.*", 6, 0.6],
    ["(made by the library)", 1.5, 0.15],
  ]);
  expect(layers.map(({ name }) => name)).toEqual(["h.0", "h.1", "(made by the library)"]);
  expect(operators.map(({ name }) => name)).toEqual([
    "gemm",
    "(library) Transpose",
    "(library) MemcpyToHost",
  ]);
  expect(phases).toEqual({ forward: 6, backward: 0, recomputation: 0, update: 0, library: 1.5 });
  // 4 runs for 2 steps.
  expect(flops).toBe(8e9);
});
