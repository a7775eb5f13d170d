import { expect, test } from "vitest";
import { Profiler, Program, runInOrder, TensorBuffer } from "../../src/runtime/index.ts";
import { add, input, mul } from "../../src/tensor/index.ts";

const LENGTH = 2 ** 18;

function vector(value = 0): TensorBuffer<"float32"> {
  const buffer = new TensorBuffer({ dtype: "float32", shape: [LENGTH] });
  buffer.data.fill(value);
  return buffer;
}

/** y = 2x + 1, with another vector as often as it is called. */
function chain(length: number, profiler?: Profiler) {
  const x = input("x", "float32", [LENGTH]);
  const program = new Program({ inputs: [x], outputs: { y: add(mul(x, 2), 1) } }, {}, { profiler });
  const vectors = [vector(1), vector(), vector()];
  const at = (index: number) => vectors[1 + (index % 2)] as TensorBuffer;
  const calls = Array.from({ length }, (_, index) =>
    program.bind({ x: index === 0 ? (vectors[0] as TensorBuffer) : at(index - 1) }, { y: at(index) }),
  );
  return { calls, result: () => (at(length - 1).data as Float32Array)[LENGTH - 1] };
}

test("each call reads what the one before wrote, and the event loop gets its turns", async () => {
  const { calls, result } = chain(20);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  // As long as it takes until the loop has turned thrice: how fast the machine is does not matter.
  for (let round = 0; turns < 3; round++) {
    await runInOrder(calls);
    expect(result()).toBe(2 ** 21 - 1);
    expect(round).toBeLessThan(2000);
  }
  clearInterval(timer);
});

test("a call that fails ends it, and what comes after is not run", async () => {
  const { calls, result } = chain(4);
  const x = vector(1);
  const other = input("x", "float32", [LENGTH]);
  const detached = new Program({ inputs: [other], outputs: { y: add(other, 1) } }).bind(
    { x },
    { y: vector() },
  );
  structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
  await expect(runInOrder([...calls.slice(0, 2), detached, ...calls.slice(2)])).rejects.toMatchObject({
    code: "DETACHED_BUFFER",
  });
  expect(result()).toBe(7);
});

test("while programs are profiled, every call is recorded", async () => {
  const profiler = new Profiler();
  const { calls, result } = chain(5, profiler);
  profiler.start();
  await runInOrder(calls);
  expect(result()).toBe(63);
  const [profile] = await profiler.stop();
  expect(profile?.runs).toBe(5);
  expect(profiler.library).toBeGreaterThan(0);
});
