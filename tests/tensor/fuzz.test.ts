/**
 * 1,000 random graphs: results and gradients agree with an interpreter of loops over single numbers (reference/), in float64;
 * 250 others also in float32, where ONNX Runtime's fused kernels are used. Many graphs share a session.
 *
 * `CODEX_ML_FUZZ_GRAPHS=20000 CODEX_ML_FUZZ_SEED=7 npx vitest run tests/tensor/fuzz.test.ts` looks further.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { DType } from "../../src/tensor/index.ts";
import { evaluate } from "./evaluate.ts";
import { buildGraph, type GraphSpec } from "./reference/random-graph.ts";
import { steps } from "./reference/steps.ts";

const GRAPHS = Number(process.env.CODEX_ML_FUZZ_GRAPHS ?? 1000);
const SEED = Number(process.env.CODEX_ML_FUZZ_SEED ?? 1);
const GRAPHS_PER_SESSION = 50;

/** Errors beside the largest number of a graph. float64 was never seen above 1e-15, float32 never above 4e-7. */
const tolerances = { float64: 1e-13, float32: 1e-5 } as const;

/** Mostly small, sometimes 1, rarely none. */
const length = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 2, max: 4 }) },
  { weight: 5, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constant(0) },
);

const graph: fc.Arbitrary<GraphSpec> = fc.record({
  shapes: fc.array(fc.array(length, { maxLength: 3, size: "max" }), {
    minLength: 1,
    maxLength: 3,
    size: "max",
  }),
  seed: fc.nat(),
  steps: fc.array(fc.array(fc.nat({ max: 100_000 }), { minLength: 9, maxLength: 9 }), {
    minLength: 4,
    maxLength: 14,
    size: "max",
  }),
});

/** Runs graphs in one session and compares; gives the operators that were applied. */
async function check(specs: readonly GraphSpec[], dtype: keyof typeof tolerances & DType): Promise<string[]> {
  const graphs = specs.map((spec, at) => buildGraph(spec, `graph${at}/`, dtype));
  const results = await evaluate(
    Object.assign({}, ...graphs.map(({ outputs }) => outputs)),
    Object.assign({}, ...graphs.map(({ inputs }) => inputs)),
  );
  for (const { text, expected, scale } of graphs)
    for (const [name, values] of Object.entries(expected)) {
      expect(results[name], `${name} of ${text.join("; ")}`).toHaveLength(values.length);
      for (const [at, value] of values.entries())
        if (!(Math.abs((results[name]?.[at] ?? Number.NaN) - value) <= tolerances[dtype] * (1 + scale)))
          throw new Error(
            `${dtype}: ${name}[${at}] is ${results[name]?.[at]}, the reference says ${value}, in ${text.join("; ")}`,
          );
    }
  return graphs.flatMap(({ text }) => text.map((line) => line.split(" (")[0] as string));
}

/** Whether a step is followed by others is up to chance: this says that every operator was. */
const applied = new Set<string>();

test.each([
  ["float64", GRAPHS],
  ["float32", GRAPHS / 4],
] as const)("random graphs and their gradients agree with the reference in %s", async (dtype, count) => {
  const specs = fc.sample(graph, { numRuns: count, seed: SEED + (dtype === "float32" ? 1 : 0) });
  for (let start = 0; start < specs.length; start += GRAPHS_PER_SESSION) {
    const part = specs.slice(start, start + GRAPHS_PER_SESSION);
    try {
      for (const name of await check(part, dtype)) applied.add(name);
    } catch {
      // Each by itself, so that fast-check shrinks the one that fails and no other.
      for (const spec of part)
        await fc.assert(
          fc.asyncProperty(graph, async (one) => void (await check([one], dtype))),
          { examples: [[spec]], numRuns: 1 },
        );
      throw new Error("The graphs agree one by one, but not in one session.");
    }
  }
});

test("every operator of the reference was part of some graph", () => {
  expect(Object.keys(steps).filter((name) => !applied.has(name))).toEqual([]);
});
