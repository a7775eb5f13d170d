/** What rewriting the graph of a training step before it runs would gain: ONNX Runtime's own passes on and off, by turns. */
import { parseArgs } from "node:util";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, type NodeProto, NodeProtoSchema } from "../src/runtime/gen/onnx_pb.ts";
import { ortApi } from "../src/runtime/ort/api.ts";
import { quantile } from "./contender.ts";
import { type GptShape, shapes } from "./shapes.ts";
import { trainingStep } from "./training-step.ts";

/** ONNX Runtime's levels of rewriting: none; what keeps every operator standard; all. */
const levels = { none: 0, basic: 1, all: 99 } as const;

/** Nodes that compute what a node before them does, and would be left out with it once, twice, … as their input. */
function duplicates(nodes: readonly NodeProto[]): number {
  const names = new Map<string, string>();
  const seen = new Map<string, readonly string[]>();
  let count = 0;
  for (const node of nodes) {
    const input = node.input.map((name) => names.get(name) ?? name);
    const plain = { ...node, name: "", input, output: node.output.map(() => "") };
    const key = Buffer.from(toBinary(NodeProtoSchema, plain)).toString("base64");
    const known = seen.get(key);
    if (known === undefined) seen.set(key, node.output);
    else count++;
    for (const [index, name] of node.output.entries()) names.set(name, known?.[index] ?? name);
  }
  return count;
}

/** Milliseconds of the processor that something takes, on all threads. */
async function processorTime<Result>(work: () => Promise<Result>) {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, milliseconds: (user + system) / 1000 };
}

/** A step whose sessions were made at a level of rewriting, and the nodes of its largest graph. */
async function stepAt(shape: GptShape, level: number) {
  const api = ortApi();
  const { call, create } = api;
  let nodes: readonly NodeProto[] = [];
  api.call = (name, ...args) =>
    name === "SetSessionGraphOptimizationLevel" ? call(name, args[0] as bigint, level) : call(name, ...args);
  api.create = (name, ...args) => {
    if (name === "CreateSessionFromArray") {
      const { graph } = fromBinary(ModelProtoSchema, args[1] as Uint8Array);
      if (graph !== undefined && graph.node.length > nodes.length) nodes = graph.node;
    }
    return create(name, ...args);
  };
  try {
    const { result: step, milliseconds } = await processorTime(() => trainingStep(shape));
    return { step, creation: milliseconds, nodes };
  } finally {
    Object.assign(api, { call, create });
  }
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      shape: { type: "string", default: "small" },
      rounds: { type: "string", default: "10" },
      steps: { type: "string", default: "4" },
    },
  });
  const shape = shapes[values.shape];
  if (shape === undefined) {
    console.error(`unknown shape "${values.shape}"; there are ${Object.keys(shapes).join(", ")}`);
    return 2;
  }
  const contenders = [];
  for (const [name, level] of Object.entries(levels)) {
    await stepAt(shape, level);
    contenders.push({ name, times: [] as number[], ...(await stepAt(shape, level)) });
  }
  for (let round = -1; round < Number(values.rounds); round++)
    for (const { step, times } of contenders)
      for (let count = 0; count < Number(values.steps); count++) {
        const { milliseconds } = await processorTime(step);
        if (round >= 0) times.push(milliseconds);
      }
  const { nodes = [] } = contenders[0] ?? {};
  console.log(`${shape.name}: ${nodes.length} nodes, ${duplicates(nodes)} of them like one before`);
  console.log("milliseconds of the processor, all threads together:");
  for (const { name, times, creation } of contenders)
    console.log(
      `  ONNX Runtime's passes: ${name.padEnd(6)} ${quantile(times, 0.5).toFixed(1).padStart(8)} a step (fastest ${quantile(times, 0).toFixed(1)})  ${creation.toFixed(0).padStart(6)} to make`,
    );
  return 0;
}
