/** Training steps of GPTs on every device of this machine, beside its CPU and PyTorch on CUDA, alternated in one run. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type DeviceChoice, selectDevice } from "../src/runtime/index.ts";
import { Contender, quantile } from "./contender.ts";
import { machine, rounded, saveResults } from "./results.ts";
import { type GptShape, shapes } from "./shapes.ts";
import { flopsOf } from "./training-step.ts";

const pytorch = ["eager fp32", "compile fp32", "eager bf16", "compile bf16"];

/** The devices that there are, and of the others why not. */
function lookForDevices(): DeviceChoice[] {
  const found: DeviceChoice[] = [];
  for (const name of ["cuda", "webgpu"] as const)
    try {
      console.log(`found: ${selectDevice(name)?.label}`);
      found.push(name);
    } catch (cause) {
      console.log(`not found: ${cause instanceof Error ? cause.message : cause}`);
    }
  return found;
}

function contendersFor(shape: GptShape, devices: readonly DeviceChoice[], python?: string): Contender[] {
  const given = JSON.stringify(shape);
  const here = (file: string) => join(import.meta.dirname, file);
  const ours = devices.map(
    (name) => new Contender(`codex-ml ${name}`, process.execPath, [here("training-child.mjs"), given, name]),
  );
  if (python === undefined) return ours;
  const theirs = pytorch.map(
    (mode) =>
      new Contender(`PyTorch cuda ${mode}`, python, [
        here("training_peer.py"),
        given,
        ...mode.split(" "),
        "",
        "cuda",
      ]),
  );
  return [...ours, ...theirs];
}

/** Turns by turns: the first one of each counts for nothing. */
async function measure(contenders: readonly Contender[], rounds: number, steps: number) {
  const present: Contender[] = [];
  for (const contender of contenders)
    try {
      await contender.ready();
      await contender.turn(2, false);
      present.push(contender);
    } catch (cause) {
      console.log(`  left out: ${cause instanceof Error ? cause.message : cause}`);
    }
  for (let round = 0; round < rounds; round++)
    for (const contender of present) await contender.turn(steps, true);
  for (const contender of contenders) contender.stop();
  return present;
}

async function report(shape: GptShape, present: readonly Contender[]) {
  const flops = await flopsOf(shape);
  const tokens = shape.batch * shape.length;
  return present.map(({ label, about, times, loss, peak }) => {
    const median = quantile(times, 0.5);
    const row = {
      contender: label,
      about,
      milliseconds: rounded(median),
      fastest: rounded(quantile(times, 0)),
      tokensPerSecond: Math.round(tokens / (median / 1000)),
      gigaflopsPerSecond: rounded(flops / (median * 1e6)),
      loss,
      hostMegabytes: Math.round(peak / 1e6),
    };
    console.log(
      `  ${label.padEnd(26)} ${String(row.milliseconds).padStart(8)} ms a step (fastest ${row.fastest})  ` +
        `${row.tokensPerSecond.toLocaleString("en").padStart(9)} tokens/s  ${String(row.gigaflopsPerSecond).padStart(7)} GFLOP/s  ` +
        `loss ${loss.toFixed(4)}  ${row.hostMegabytes.toLocaleString("en")} MB beside the device`,
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
      steps: { type: "string", default: "10" },
      python: { type: "string" },
      record: { type: "boolean", default: false },
    },
  });
  const wrong = values.shape.find((name) => shapes[name] === undefined);
  if (wrong !== undefined) {
    console.error(`unknown shape "${wrong}"; there are ${Object.keys(shapes).join(", ")}`);
    return 2;
  }
  const { processor, cores, memoryInGiB, system, node } = machine();
  console.log(`${processor}, ${cores} cores, ${memoryInGiB} GiB, ${system}, Node ${node}`);
  const devices = lookForDevices();
  if (devices.length === 0) {
    console.error("There is no device to measure on this machine.");
    return 1;
  }
  const results: Record<string, unknown> = {};
  for (const name of values.shape) {
    const shape = shapes[name] as GptShape;
    const { layers, width, length, batch, vocabulary } = shape;
    console.log(
      `\n${shape.name}: ${layers} layers, ${width} wide, T ${length}, batch ${batch}, vocabulary ${vocabulary}`,
    );
    const contenders = contendersFor(shape, ["cpu", ...devices], values.python);
    const present = await measure(contenders, Number(values.rounds), Number(values.steps));
    results[name] = { shape, rows: await report(shape, present) };
  }
  console.log(`\n${saveResults("device", values.record, results)}`);
  return 0;
}
