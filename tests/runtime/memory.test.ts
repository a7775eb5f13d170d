import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** What a TypeScript program prints that may call the garbage collector. */
async function runScript(source: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "codex-ml-memory-"));
  try {
    await writeFile(join(folder, "main.ts"), source);
    const jiti = new URL("../../node_modules/jiti/lib/jiti-cli.mjs", import.meta.url).pathname;
    const args = ["--expose-gc", jiti, join(folder, "main.ts")];
    return (await promisify(execFile)(process.execPath, args)).stdout.trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("buffers, names and sessions outlive the garbage collector as long as a call needs them", async () => {
  expect(await runScript(program)).toBe("wrong 0");
});

const sessions = `
import { Program, TensorBuffer } from ${JSON.stringify(new URL("../../src/runtime/index.ts", import.meta.url).href)};
import { constant, input, mul } from ${JSON.stringify(new URL("../../src/tensor/index.ts", import.meta.url).href)};
const collect = (globalThis as unknown as { gc(): void }).gc;
const size = 250_000;
const x = input("x", "float32", [size]);
const from = new TensorBuffer({ dtype: "float32", shape: [size] });
const y = new TensorBuffer({ dtype: "float32", shape: [size] });
const kept: unknown[] = [];
let warm = 0;
for (let round = 0; round < 100; round++) {
  // A session of a megabyte of its own. Whoever still knows a program of long ago must not keep its memory.
  const values = new Float32Array(size).fill(round + 1);
  const program = new Program({ inputs: [x], outputs: { y: mul(x, constant(values, "float32")) } });
  kept.push(program);
  await program.bind({ x: from }, { y }).run();
  program.close();
  if (round === 30 || round === 99) collect();
  if (round === 30) warm = process.memoryUsage.rss() - process.memoryUsage().arrayBuffers;
}
// The arrays of the constants stay with the programs; what the library holds does not.
console.log(Math.round((process.memoryUsage.rss() - process.memoryUsage().arrayBuffers - warm) / 2 ** 20), kept.length);
`;

test("a hundred sessions that are opened, run and closed leave no memory behind", async () => {
  const [growth, count] = (await runScript(sessions)).split(" ").map(Number);
  expect(count).toBe(100);
  // 69 sessions of at least 1 MB each would be 69 MB.
  expect(growth).toBeLessThan(30);
});
