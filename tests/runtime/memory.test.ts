import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const program = `
import { Program, TensorBuffer } from ${JSON.stringify(new URL("../../src/runtime/index.ts", import.meta.url).href)};
import { add, input, mul } from ${JSON.stringify(new URL("../../src/tensor/index.ts", import.meta.url).href)};
const collect = (globalThis as unknown as { gc(): void }).gc;
const size = 100_000;
const build = () => {
  const x = input("x", "float32", [size]);
  const y = new TensorBuffer({ dtype: "float32", shape: [size] });
  const from = new TensorBuffer({ dtype: "float32", shape: [size], data: new Float32Array(size).fill(3) });
  return { call: new Program({ inputs: [x], outputs: { y: add(mul(x, x), 1) } }).bind({ x: from }, { y }), read: () => y.data };
};
let wrong = 0;
for (let round = 0; round < 20; round++) {
  const { call, read } = build();
  collect();
  // What a collector that runs too early would free is overwritten before the call reads it.
  const rubbish = Array.from({ length: 20 }, () => new Float32Array(new ArrayBuffer(4 * size)).fill(9));
  const running = call.run();
  collect();
  await running;
  if (read().some((value) => value !== 10) || rubbish.length === 0) wrong++;
}
console.log("wrong", wrong);
`;

test("buffers, names and sessions outlive the garbage collector as long as a call needs them", async () => {
  const { mkdtemp, rm, writeFile } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const { tmpdir } = await import("node:os");
  const folder = await mkdtemp(join(tmpdir(), "codex-ml-memory-"));
  try {
    await writeFile(join(folder, "main.ts"), program);
    const jiti = new URL("../../node_modules/jiti/lib/jiti-cli.mjs", import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--expose-gc",
      jiti,
      join(folder, "main.ts"),
    ]);
    expect(stdout.trim()).toBe("wrong 0");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
