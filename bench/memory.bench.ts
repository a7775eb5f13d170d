import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Program, TensorBuffer } from "../src/runtime/index.ts";
import {
  add,
  constant,
  gelu,
  grad,
  input,
  linear,
  mul,
  reduceSum,
  type Tensor,
} from "../src/tensor/index.ts";
import { rounded, saveResults } from "./results.ts";
import { trainingStep } from "./training-step.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What may be added between the end of the warm-up and the end. */
const ALLOWED = 0.02;
const MEGABYTE = 2 ** 20;

interface Memory {
  /** Bytes that the process holds. */
  readonly resident: number;
  /** The same without the room that V8 keeps for objects to come: that grows and shrinks by megabytes as it sees fit. */
  readonly used: number;
}

/** Memory once nothing is left to collect. What was collected is released in a later turn of the loop. */
async function memoryNow(): Promise<Memory> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return { resident: rss, used: rss - heapTotal + heapUsed };
}

interface Flatness {
  readonly name: string;
  readonly warmUp: number;
  readonly count: number;
  readonly seconds: number;
  /** At each tenth. */
  readonly resident: readonly number[];
  readonly used: readonly number[];
  /** Of what is used, from the end of the warm-up to the end, in percent. */
  readonly growth: number;
  readonly met: boolean;
}

/**
 * Does something many times after a warm-up; prints the memory along the way and says whether it stayed flat.
 *
 * @param warmUp times before those that count: compiled code, the collector's spaces and the allocator's pieces come to their sizes.
 */
async function isFlat(
  name: string,
  warmUp: number,
  count: number,
  once: () => Promise<unknown>,
): Promise<Flatness> {
  // Collected as often as later: the pieces that the allocators get used to depend on it.
  for (let done = 0; done < warmUp; done++) {
    await once();
    if (done % Math.ceil(count / 10) === 0) await memoryNow();
  }
  const marks = Array.from({ length: 11 }, (_, tenth) => Math.round((count * tenth) / 10));
  const memory: Memory[] = [];
  const started = performance.now();
  for (let done = 0; done <= count; done++) {
    if (marks.includes(done)) memory.push(await memoryNow());
    if (done < count) await once();
  }
  const used = memory.map((one) => one.used);
  const growth = (used.at(-1) ?? Number.NaN) / (used[0] ?? Number.NaN) - 1;
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(
    `${name}: ${count} times after a warm-up of ${warmUp}, in ${seconds} s, load average ${rounded(loadavg()[0] ?? 0)}`,
  );
  const resident = memory.map((one) => one.resident);
  const megabytes = (bytes: readonly number[]) => bytes.map((one) => rounded((10 * one) / MEGABYTE) / 10);
  console.log(`  MB resident at each tenth: ${megabytes(resident).join(" ")}`);
  console.log(`  without V8's spare room:   ${megabytes(used).join(" ")}`);
  console.log(
    `  of that, from the first to the last: ${(100 * growth).toFixed(2)} % (allowed: ${100 * ALLOWED} %)`,
  );
  return {
    ...{ name, warmUp, count, seconds },
    ...{ resident: megabytes(resident), used: megabytes(used) },
    growth: rounded(100 * growth),
    met: growth < ALLOWED,
  };
}

/** Traces a layer with its gradients, compiles it, runs it once, and closes it or leaves it to the garbage collector. */
async function useSession(closes: boolean): Promise<void> {
  const size = 64;
  const x = input("x", "float32", [8, size]);
  const weight = input("weight", "float32", [size, size]);
  const table = constant(new Float32Array(size * size).fill(0.01), "float32", [size, size]);
  const y = linear(gelu(linear(x, weight)), table);
  const [gradient] = grad(reduceSum(mul(y, add(y, 1))), [weight]);
  const program = new Program({ inputs: [x, weight], outputs: { y, gradient: gradient as Tensor } });
  const buffer = (...shape: number[]) => new TensorBuffer({ dtype: "float32", shape });
  const call = program.bind(
    { x: buffer(8, size), weight: buffer(size, size) },
    { y: buffer(8, size), gradient: buffer(size, size) },
  );
  await call.run();
  if (closes) program.close();
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      steps: { type: "string", default: "10000" },
      sessions: { type: "string", default: "1000" },
      record: { type: "boolean", default: false },
    },
  });
  const shape = { name: "2 × 64", layers: 2, width: 64, heads: 2, length: 32, batch: 4, vocabulary: 256 };
  const step = await trainingStep(shape);
  const [steps, sessions] = [Number(values.steps), Number(values.sessions)];
  const flat = [
    await isFlat("training steps", steps / 10, steps, step),
    await isFlat("sessions opened and closed", sessions, sessions, () => useSession(true)),
    await isFlat("sessions left to the garbage collector", sessions, sessions, () => useSession(false)),
  ];
  console.log(saveResults("memory", values.record, { allowed: 100 * ALLOWED, flat }));
  return flat.every(({ met }) => met) ? 0 : 1;
}
