/** The paths of a device on the CPU, with memory that JavaScript does not see; `npm run test:device` has real ones. */
import { describe, expect, test } from "vitest";
import { cpuDevice, Program, TensorBuffer } from "../../src/runtime/index.ts";
import { add, input, matmul, mul } from "../../src/tensor/index.ts";

const device = cpuDevice();

const there = (shape: number[], values: number[]) =>
  new TensorBuffer({ dtype: "float32", shape, data: Float32Array.from(values), device });

const squares = (on = true) => {
  const x = input("x", "float32", [3]);
  const s = input("s", "float32", []);
  return new Program({ inputs: [x, s], outputs: { y: add(mul(x, x), s) } }, {}, on ? { device } : {});
};

describe("memory of a device", () => {
  test.each([[[]], [[1]], [[5]], [[2, 3]], [[2, 1, 3]]])(
    "gives back what was written to shape %j",
    (shape) => {
      const count = shape.reduce((product: number, dim) => product * dim, 1);
      const values = Array.from({ length: count }, (_, at) => at + 0.5);
      const buffer = there(shape, values);
      expect([...buffer.read()]).toEqual(values);
      buffer.write(Float32Array.from(values, (value) => -value));
      expect([...buffer.read()]).toEqual(values.map((value) => -value));
    },
  );

  test("holds whole numbers too", () => {
    const data = Int32Array.of(7, -8);
    expect(new TensorBuffer({ dtype: "int32", shape: [2], data, device }).read()).toEqual(data);
  });

  test("is not to be looked into, viewed in parts, or filled with another count", () => {
    const buffer = there([2], [1, 2]);
    expect(() => buffer.data).toThrow(/shape \(2\) is in the memory of cpu: read\(\) and write\(\) copy/);
    expect(() => buffer.write(Float32Array.of(1))).toThrow(/1 numbers do not fill a buffer of shape \(2\)/);
    const within = { buffer, offset: 0 };
    expect(() => new TensorBuffer({ dtype: "float32", shape: [1], within, device })).toThrow(/no views/);
  });

  test("stays where it is from call to call; what is ours crosses in each", async () => {
    const s = new TensorBuffer({ dtype: "float32", shape: [], data: Float32Array.of(10) });
    const [a, b] = [there([3], [1, 2, 3]), there([3], [0, 0, 0])];
    const program = squares();
    await program.bind({ x: a, s }, { y: b }).run();
    s.data[0] = 1;
    const ours = new TensorBuffer({ dtype: "float32", shape: [3] });
    await program.bind({ x: b, s }, { y: ours }).run();
    expect([...ours.data]).toEqual([122, 197, 362]);
  });

  test("belongs to programs of its device, and is not read and written at once", () => {
    const s = new TensorBuffer({ dtype: "float32", shape: [] });
    const [a, b] = [there([3], [1, 2, 3]), there([3], [0, 0, 0])];
    expect(() => squares(false).bind({ x: a, s }, { y: b })).toThrow(
      /shape \(3\) is in the memory of cpu; the program runs on cpu/,
    );
    expect(() => squares().bind({ x: a, s }, { y: a })).toThrow(
      /"y" would be written into memory that an input/,
    );
  });
});

test("calls of a device take turns, each after what its caller does at once; nothing is copied meanwhile", async () => {
  const x = input("x", "float32", [256, 256]);
  let y = x;
  for (let layer = 0; layer < 6; layer++) y = matmul(y, x, { scale: 1e-3 });
  const program = new Program({ inputs: [x], outputs: { y } }, {}, { device });
  const [a, b, c] = [1, 2, 3].map((value) => there([256, 256], Array(256 * 256).fill(value)));
  if (a === undefined || b === undefined || c === undefined) throw new Error("no memory");
  const first = program.bind({ x: a }, { y: b }).run();
  expect(b.read()[0]).toBe(2);
  const second = program.bind({ x: b }, { y: c }).run();
  await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(() => a.read()).toThrow(/A call runs on cpu/);
  await Promise.all([first, second]);
  const [again, expected] = [there([256, 256], Array(256 * 256).fill(0)), b.read()];
  await program.bind({ x: a }, { y: again }).run();
  expect(again.read()).toEqual(expected);
  expect(c.read()[0]).not.toBe(3);
});

test("the CPU as a device leaves no node to another", () => expect(device.onCpu).toEqual({}));
