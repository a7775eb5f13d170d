import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Profiler, Program, TensorBuffer } from "../../src/runtime/index.ts";
import { placeIn } from "../../src/runtime/profiler.ts";
import { gelu, gemm, grad, input, inScope, reduceSum, type Tensor } from "../../src/tensor/index.ts";

const size = 32;

/** y = gelu(x · w) and its gradient, with buffers. */
function layer(profiler?: Profiler) {
  const [x, w] = [input("x", "float32", [size, size]), input("w", "float32", [size, size])];
  const y = inScope("net.layer", () => gelu(gemm(x, w)));
  const [gradient] = grad(
    inScope("loss", () => reduceSum(y)),
    [w],
  );
  const program = new Program(
    { inputs: [x, w], outputs: { y, gradient: gradient as Tensor } },
    {},
    { profiler },
  );
  const buffer = () =>
    new TensorBuffer({
      dtype: "float32",
      shape: [size, size],
      data: Float32Array.from({ length: size * size }, (_, at) => Math.sin(at)),
    });
  const outputs = { y: buffer(), gradient: buffer() };
  return { program, call: program.bind({ x: buffer(), w: buffer() }, outputs), outputs };
}

test("every node of the runs that count is told, with the operation that it comes from", async () => {
  const profiler = new Profiler();
  const { call } = layer(profiler);
  await call.run();
  profiler.start();
  for (let run = 0; run < 3; run++) await call.run();
  expect(profiler.recorded).toBeGreaterThan(4);
  const [profile] = await profiler.stop();
  await call.run();

  expect(profile?.runs).toBe(3);
  expect(profile?.nodes.every(({ calls }) => calls === 3)).toBe(true);
  const places = new Set(profile?.nodes.map(({ place }) => place));
  for (const place of ["net.layer/gemm", "net.layer/gelu", "grad:net.layer/gemm/gemm"])
    expect(places).toContain(place);
  const product = profile?.nodes.find(({ place }) => place === "net.layer/gemm");
  expect(product?.kernel).toBe("Gemm");
  expect(profile?.flops.get("net.layer/gemm")).toBe(2 * size ** 3);
  // Nodes run one after the other, inside of the runs, and those inside of the calls.
  const inNodes = profile?.nodes.reduce((sum, { milliseconds }) => sum + milliseconds, 0) ?? 0;
  expect(inNodes).toBeGreaterThan(0);
  expect(profile?.milliseconds).toBeGreaterThanOrEqual(inNodes);
  expect(profiler.library).toBeGreaterThan(profile?.milliseconds ?? 0);
});

test("a profiled program computes the same bytes", async () => {
  const profiler = new Profiler();
  const [plain, profiled] = [layer(), layer(profiler)];
  await plain.call.run();
  await profiled.call.run();
  await profiler.stop();
  expect(profiled.outputs.y.data).toEqual(plain.outputs.y.data);
  expect(profiled.outputs.gradient.data).toEqual(plain.outputs.gradient.data);
});

test("programs that are not profiled can run at the same time", async () => {
  const large = 512;
  const [a, b] = [input("a", "float32", [large, large]), input("b", "float32", [large, large])];
  const spec = { inputs: [a, b], outputs: { y: gelu(gemm(a, b)) } };
  const buffer = () => new TensorBuffer({ dtype: "float32", shape: [large, large] });
  const callOf = (profiler?: Profiler) =>
    new Program(spec, {}, { profiler }).bind({ a: buffer(), b: buffer() }, { y: buffer() });
  const profiler = new Profiler();
  // Some begin before anything is profiled.
  const plain = [callOf(), callOf(), callOf()];
  const begun = [callOf(), callOf()].map((call) => call.run());
  const profiled = callOf(profiler);
  profiler.start();
  for (let round = 0; round < 20; round++) {
    await Promise.all([...begun.splice(0), profiled.run(), ...plain.map((call) => call.run())]);
  }
  const stopping = profiler.stop();
  await Promise.all(plain.map((call) => call.run()));
  expect((await stopping)[0]?.runs).toBe(20);
});

describe("in a temporary folder of its own", () => {
  const folder = mkdtempSync(join(tmpdir(), "codex-ml-test-"));
  beforeAll(() => {
    for (const name of ["TMPDIR", "TEMP", "TMP"]) vi.stubEnv(name, folder);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test("programs that are closed before the end, or made after it, are no trouble, and no file stays behind", async () => {
    const profiler = new Profiler();
    const { program, call } = layer(profiler);
    await call.run();
    program.close();
    expect(readdirSync(folder)).toHaveLength(1);
    const [profile] = await profiler.stop();
    expect(profile?.nodes).toEqual([]);
    await layer(profiler).call.run();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("what nobody wants any more is removed", async () => {
    const profiler = new Profiler();
    await layer(profiler).call.run();
    await profiler.discard();
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("a node's place is what it was named after, whatever the library put behind it", () => {
  const places = new Map(
    ["net.h.0/gemm", "grad:net.h.0/layerNorm/mul", "plugin_op_2"].map((key) => [key, 0]),
  );
  expect(placeIn(places, "net.h.0/gemm_12")).toBe("net.h.0/gemm");
  expect(placeIn(places, "net.h.0/gemm_12/MatmulTransposeFusion/")).toBe("net.h.0/gemm");
  expect(placeIn(places, "grad:net.h.0/layerNorm/mul_7_new_reshape")).toBe("grad:net.h.0/layerNorm/mul");
  expect(placeIn(places, "plugin_op_2_31")).toBe("plugin_op_2");
  expect(placeIn(places, "Transpose_token_3")).toBeUndefined();
  expect(placeIn(places, "")).toBeUndefined();
});

test("the arena's peak is at least what a graph needs between its operators", async () => {
  const length = 2 ** 20;
  const x = input("x", "float32", [length]);
  const program = new Program({ inputs: [x], outputs: { y: reduceSum(gelu(x)) } });
  const y = new TensorBuffer({ dtype: "float32", shape: [] });
  await program.bind({ x: new TensorBuffer({ dtype: "float32", shape: [length] }) }, { y }).run();
  const { inUse, peak, reserved } = program.arena();
  expect(peak).toBeGreaterThanOrEqual(4 * length);
  expect(reserved).toBeGreaterThanOrEqual(peak);
  expect(inUse).toBeLessThan(4 * length);
  program.close();
  expect(() => program.arena()).toThrow(/closed/);
});
