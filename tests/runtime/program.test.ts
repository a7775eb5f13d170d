import { describe, expect, test } from "vitest";
import { encodeModel, Program, RuntimeError, runtimeInfo, TensorBuffer } from "../../src/runtime/index.ts";
import { add, constant, gemm, input, matmul, mul, reshape, softmax } from "../../src/tensor/index.ts";

const float = (shape: number[], values?: number[]) =>
  new TensorBuffer({ dtype: "float32", shape, ...(values && { data: Float32Array.from(values) }) });

describe("a program", () => {
  test("runs a graph on our own buffers, again and again", async () => {
    const x = input("x", "float32", [2, 2]);
    const program = new Program({ inputs: [x], outputs: { y: add(mul(x, x), 1) } });
    const [from, to] = [float([2, 2], [1, 2, 3, 4]), float([2, 2])];
    const call = program.bind({ x: from }, { y: to });
    await call.run();
    expect([...to.data]).toEqual([2, 5, 10, 17]);
    from.data.set([0, 0, 0, 1]);
    await call.run();
    expect([...to.data]).toEqual([1, 1, 1, 2]);
  });

  test("leaves symbols free and computes shapes from them at run time", async () => {
    const x = input("x", "float32", ["batch_size", "sequence_length", 2]);
    const y = softmax(reshape(x, ["2*batch_size*sequence_length"].map(String)));
    const program = new Program({
      inputs: [x],
      outputs: { y: reshape(y, ["batch_size", "sequence_length", 2]) },
    });
    for (const [batch, length] of [
      [1, 1],
      [3, 2],
    ] as const) {
      const to = float([batch, length, 2]);
      await program.bind({ x: float([batch, length, 2]) }, { y: to }).run();
      for (const value of to.data) expect(value).toBeCloseTo(1 / (2 * batch * length), 6);
    }
  });

  test("gives an input or a constant as an output too, and one tensor under two names", async () => {
    const x = input("x", "float32", [2]);
    const y = add(x, 1);
    const program = new Program({
      inputs: [x],
      outputs: { x2: x, y1: y, y2: y, c: constant([7, 8], "float32") },
    });
    const outputs = { x2: float([2]), y1: float([2]), y2: float([2]), c: float([2]) };
    await program.bind({ x: float([2], [1, 2]) }, outputs).run();
    expect([...outputs.x2.data, ...outputs.y1.data, ...outputs.y2.data, ...outputs.c.data]).toEqual([
      1, 2, 2, 3, 2, 3, 7, 8,
    ]);
  });

  test("keeps the event loop free while it runs", async () => {
    const x = input("x", "float32", [1024, 1024]);
    let y = x;
    for (let layer = 0; layer < 12; layer++) y = matmul(y, x, { scale: 1e-3 });
    const call = new Program({ inputs: [x], outputs: { y } }).bind(
      { x: float([1024, 1024]) },
      { y: float([1024, 1024]) },
    );
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await call.run();
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
  });

  test("keeps one array apart where it is a constant of two shapes", async () => {
    const data = Float32Array.from({ length: 100 }, (_, index) => index);
    const x = input("x", "float32", [1, 100]);
    const row = mul(x, constant(data, "float32", [100]));
    const column = matmul(x, constant(data, "float32", [100, 1]));
    const outputs = { row: float([1, 100]), column: float([1, 1]) };
    await new Program({ inputs: [x], outputs: { row, column } })
      .bind({ x: float([1, 100], Array(100).fill(1)) }, outputs)
      .run();
    expect(outputs.row.data[7]).toBe(7);
    expect(outputs.column.data[0]).toBe(4950);
  });

  test("writes large constants and reads them back", async () => {
    const data = Float32Array.from({ length: 100_000 }, (_, index) => index);
    const x = input("x", "float32", []);
    const to = float([100_000]);
    await new Program({ inputs: [x], outputs: { y: add(constant(data, "float32"), x) } })
      .bind({ x: float([], [1]) }, { y: to })
      .run();
    expect(to.data[99_999]).toBe(100_000);
  });
});

describe("a call that would not be safe is an error", () => {
  const x = input("x", "float32", ["n", "n"]);
  const program = new Program({ inputs: [x], outputs: { y: mul(x, 2) } });
  const cases: Record<string, [() => unknown, string, RegExp]> = {
    "a missing buffer": [
      () => program.bind({}, { y: float([2, 2]) }),
      "MISSING_BUFFER",
      /input "x" has no buffer/,
    ],
    "a buffer for nothing": [
      () => program.bind({ x: float([2, 2]), z: float([1]) }, { y: float([2, 2]) }),
      "UNKNOWN_BUFFER",
      /no input "z"/,
    ],
    "a wrong shape": [
      () => program.bind({ x: float([2]) }, { y: float([2, 2]) }),
      "BUFFER_MISMATCH",
      /x float32\(n, n\).*float32\(2\)/,
    ],
    "a symbol with two lengths": [
      () => program.bind({ x: float([2, 3]) }, { y: float([2, 3]) }),
      "BUFFER_MISMATCH",
      /\(2, 3\)/,
    ],
    "an output of another length": [
      () => program.bind({ x: float([2, 2]) }, { y: float([3, 3]) }),
      "BUFFER_MISMATCH",
      /output "y"/,
    ],
    "a wrong dtype": [
      () => program.bind({ x: new TensorBuffer({ dtype: "int32", shape: [2, 2] }) }, { y: float([2, 2]) }),
      "BUFFER_MISMATCH",
      /int32\(2, 2\)/,
    ],
    "numbers that do not fill the shape": [() => float([2, 2], [1]), "BAD_BUFFER", /1 numbers do not fill/],
    "a view beyond its buffer": [
      () => new TensorBuffer({ dtype: "float32", shape: [3], within: { buffer: float([4]), offset: 2 } }),
      "BAD_BUFFER",
      /beyond its buffer of 4/,
    ],
    "an input that is not listed": [
      () => encodeModel({ inputs: [], outputs: { y: mul(x, 2) } }),
      "MISSING_INPUT",
      /x float32\(n, n\)/,
    ],
    "two inputs of one name": [
      () => encodeModel({ inputs: [x, input("x", "float32", [])], outputs: { y: mul(x, 2) } }),
      "DUPLICATE_INPUT",
      /"x"/,
    ],
  };
  for (const [name, [build, code, message]] of Object.entries(cases))
    test(name, () => {
      expect(build).toThrow(message);
      expect(build).toThrow(RuntimeError);
      expect(build).toThrow(expect.objectContaining({ code }));
    });

  test("an output in the memory of an input", () => {
    const shared = float([2, 2]);
    expect(() => program.bind({ x: shared }, { y: shared })).toThrow(
      /output "y" would be written into memory/,
    );
  });

  test("two outputs in the same memory; neighbours in one memory are fine", async () => {
    const both = new Program({ inputs: [x], outputs: { a: mul(x, 2), b: mul(x, 3) } });
    const memory = float([9]);
    const view = (offset: number) =>
      new TensorBuffer({ dtype: "float32", shape: [2, 2], within: { buffer: memory, offset } });
    expect(() => both.bind({ x: float([2, 2]) }, { a: view(0), b: view(3) })).toThrow(
      /outputs "a" and "b" would be written into the same memory/,
    );
    await both.bind({ x: float([2, 2], [1, 1, 1, 1]) }, { a: view(0), b: view(5) }).run();
    expect([...memory.data]).toEqual([2, 2, 2, 2, 0, 3, 3, 3, 3]);
  });

  test("a view from before its buffer, or of another dtype", () => {
    const memory = float([4]);
    expect(
      () => new TensorBuffer({ dtype: "float32", shape: [2], within: { buffer: memory, offset: -1 } }),
    ).toThrow(/whole number of elements/);
    expect(
      () =>
        new TensorBuffer({ dtype: "float64", shape: [2], within: { buffer: memory as never, offset: 0 } }),
    ).toThrow(/dtype of its buffer/);
  });

  test("running with memory that was transferred away", async () => {
    const from = float([2, 2]);
    const call = program.bind({ x: from }, { y: float([2, 2]) });
    structuredClone(from.data, { transfer: [from.data.buffer as ArrayBuffer] });
    await expect(call.run()).rejects.toThrow(/has lost its memory/);
  });

  test("running a call that still runs", async () => {
    const call = program.bind({ x: float([2, 2]) }, { y: float([2, 2]) });
    const first = call.run();
    await expect(call.run()).rejects.toThrow(/is running/);
    await first;
  });
});

test("a program that is closed does not run, closes twice, and does not close while it runs", async () => {
  const x = input("x", "float32", [512, 512]);
  let y = x;
  for (let layer = 0; layer < 8; layer++) y = matmul(y, x, { scale: 1e-3 });
  const program = new Program({ inputs: [x], outputs: { y } });
  const call = program.bind({ x: float([512, 512]) }, { y: float([512, 512]) });
  const running = call.run();
  expect(() => program.close()).toThrow(expect.objectContaining({ code: "ALREADY_RUNNING" }));
  await running;
  program.close();
  program.close();
  await expect(call.run()).rejects.toThrow(expect.objectContaining({ code: "SESSION_CLOSED" }));
});

test("what the library refuses is an exception with its message", () => {
  const x = input("x", "int32", [2]);
  // Softmax has no integer kernel; the shape rule does not look at dtypes.
  expect(() => new Program({ inputs: [x], outputs: { y: softmax(x) } })).toThrow(
    /ONNX Runtime 1\..*CreateSessionFromArray.*Softmax/s,
  );
});

test("the runtime says what it is", () => {
  expect(runtimeInfo()).toMatchObject({
    name: "onnxruntime",
    version: expect.stringMatching(/^1\./),
    device: "cpu",
  });
});

describe("inputs that are fixed when it is compiled", () => {
  const x = input("x", "float32", [1, 3]);
  const w = input("w", "float32", [3, 2]);
  const buffer = (shape: number[], values: number[]) =>
    new TensorBuffer({ dtype: "float32", shape, data: Float32Array.from(values) });
  const spec = { inputs: [x, w], outputs: { y: gemm(x, w) } };

  test("are constants of the graph, and asked for no more", async () => {
    const fixed = buffer([3, 2], [1, 2, 3, 4, 5, 6]);
    const program = new Program(spec, { w: fixed });
    const y = new TensorBuffer({ dtype: "float32", shape: [1, 2] });
    await program.bind({ x: buffer([1, 3], [1, 10, 100]) }, { y }).run();
    expect([...y.data]).toEqual([531, 642]);
    expect(() => program.bind({ x: buffer([1, 3], [1, 1, 1]), w: fixed }, { y })).toThrow(/no input "w"/);
  });

  test("must fit", () => {
    expect(() => new Program(spec, { w: buffer([2, 3], [1, 2, 3, 4, 5, 6]) })).toThrow(
      /input "w" is .*\(2, 3\)/,
    );
    expect(() => new Program(spec, { v: buffer([1], [1]) })).toThrow(/no input "v"/);
  });
});
