/** What saving costs a training loop, and how fast a checkpoint is read back. */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { modelRegistry } from "../src/models/index.ts";
import { adamW } from "../src/optim/index.ts";
import { checkpointSize, readCheckpoint, saveCheckpoint } from "../src/run/checkpoint.ts";
import { verifyCheckpoint } from "../src/run/checkpoint-files.ts";
import type { Batch } from "../src/trainers/batching.ts";
import { TrainingStep } from "../src/trainers/training-step.ts";

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Seconds of wall time, and of processor time of this process. */
async function timed(work: () => Promise<unknown>): Promise<{ readonly wall: number; readonly cpu: number }> {
  const started = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 };
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      layers: { type: "string", default: "12" },
      width: { type: "string", default: "768" },
      vocabulary: { type: "string", default: "50257" },
      length: { type: "string", default: "128" },
      steps: { type: "string", default: "12" },
      rounds: { type: "string", default: "3" },
      directory: { type: "string", default: tmpdir() },
    },
  });
  const number = (name: keyof typeof values): number => Number(values[name]);
  const [length, vocabSize] = [number("length"), number("vocabulary")];
  const model = await modelRegistry.create("gpt2", {
    vocabSize,
    maxPositionEmbeddings: Math.max(length, 1024),
    hiddenSize: number("width"),
    numHiddenLayers: number("layers"),
    numAttentionHeads: number("width") / 64,
  });
  const step = new TrainingStep({ model, optimizer: adamW(), batchSize: 1, sequenceLength: length, seed: 1 });
  const inputIds = Int32Array.from({ length }, (_, at) => (at * 7919) % vocabSize);
  const labels = inputIds.map((id) => (id + 1) % vocabSize);
  const batch: Batch = { inputIds, labels, counted: length, rows: 1 };
  const update = () => step.run([batch], 1e-4);

  const run = await mkdtemp(join(values.directory, "codex-ml-bench-checkpoints-"));
  try {
    const bytes = checkpointSize(step.tensors());
    const parameters = model.parameters().reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);
    console.log(
      `${(parameters / 1e6).toFixed(1)} M parameters, ${(bytes / 1e9).toFixed(2)} GB a checkpoint, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`,
    );
    const copies: number[] = [];
    const saves: number[] = [];
    const steps = number("steps");
    /** As the training loop does it: copied while the first update runs, written while the others do. */
    const window = async (isSaving: boolean): Promise<void> => {
      let saving: Promise<unknown> | undefined;
      for (let at = 0; at < steps; at++) {
        const running = update();
        if (isSaving && at === 0) {
          const started = performance.now();
          const checkpoint = { step: step.step, ...step.snapshot(), state: {} };
          copies.push((performance.now() - started) / 1000);
          saving = saveCheckpoint(run, checkpoint, { config: model.config }).then(() =>
            saves.push((performance.now() - started) / 1000),
          );
        }
        await running;
      }
      await saving;
    };
    await window(true); // compiles, and takes the memory of the copy
    const without: { wall: number; cpu: number }[] = [];
    const withSave: { wall: number; cpu: number }[] = [];
    for (let round = 0; round < number("rounds"); round++) {
      without.push(await timed(() => window(false)));
      withSave.push(await timed(() => window(true)));
    }
    const [plain, saved] = [without, withSave].map((times) => ({
      wall: median(times.map(({ wall }) => wall)),
      cpu: median(times.map(({ cpu }) => cpu)),
    }));
    if (plain === undefined || saved === undefined) return 1;
    const extra = { wall: saved.wall - plain.wall, cpu: saved.cpu - plain.cpu };
    // One save in a window of many updates, against the same window without: what it costs, it costs once in a minute.
    const percent = (seconds: number): string =>
      `${((100 * seconds) / 60).toFixed(2)} % of the training's wall time at one checkpoint a minute`;
    console.log(
      `step               ${(plain.wall / steps).toFixed(2)} s (${steps} in a window, ${values.rounds} rounds, alternated)`,
    );
    console.log(`copy               ${median(copies).toFixed(2)} s, while an update runs`);
    console.log(`until it is whole  ${median(saves).toFixed(2)} s, while updates run`);
    console.log(
      `a save costs       ${extra.wall.toFixed(2)} s of wall time (${percent(extra.wall)}), ${extra.cpu.toFixed(2)} s of processor time`,
    );

    const folder = join(run, "checkpoints", `step-${String(step.step - steps).padStart(6, "0")}`);
    await readCheckpoint(folder);
    const reads: { wall: number; cpu: number }[] = [];
    const verifies: { wall: number; cpu: number }[] = [];
    for (let round = 0; round < number("rounds"); round++) {
      reads.push(await timed(() => readCheckpoint(folder)));
      verifies.push(await timed(() => verifyCheckpoint(folder)));
    }
    for (const [name, times] of [
      ["read and verified", reads],
      ["verified alone", verifies],
    ] as const)
      console.log(
        `${name.padEnd(17)}  ${(bytes / 1e9 / median(times.map(({ wall }) => wall))).toFixed(2)} GB/s warm (${(bytes / 1e9 / median(times.map(({ cpu }) => cpu))).toFixed(2)} GB/s of processor time)`,
      );
    console.log(`load at the end    ${loadavg()[0]?.toFixed(1)}`);
  } finally {
    await rm(run, { recursive: true, force: true });
  }
  return 0;
}
