import { readFileSync, readdirSync } from "node:fs";
import { gpt2 } from "../src/models/gpt2.ts";
import { adamW } from "../src/optim/index.ts";
import { TrainingStep } from "../src/trainers/training-step.ts";
import { ortApi } from "../src/runtime/ort/api.ts";
import { OrtSession } from "../src/runtime/ort/session.ts";
const seen = new Set(); const run = OrtSession.prototype.run;
OrtSession.prototype.run = function (this: any, ...a: any) { seen.add(this.pointer); return (run as any).apply(this, a); } as any;
export async function main(which: string) {
  const shape = { layers: 4, width: 128, heads: 4, length: 128, batch: 16, vocabulary: 1024 };
  const options: any = await gpt2.options?.["~standard"].validate({ vocabSize: 1024, maxPositionEmbeddings: 128, hiddenSize: 128, numHiddenLayers: 4, numAttentionHeads: 4 });
  const model = await gpt2.create(options.value, { directory: "." });
  const step = new TrainingStep({ model, optimizer: adamW(), batchSize: 16, sequenceLength: 128, gradientAccumulationSteps: 1, maxGradNorm: 1, seed: 1, compile: { profile: "/tmp/prof/ours" } });
  const inputIds = Int32Array.from({ length: 2048 }, (_, at) => (at * 7919) % 1024);
  const data = { inputIds, labels: inputIds.map((id) => (id + 1) % 1024), counted: 2048, rows: 16 };
  for (let i = 0; i < 30; i++) await step.run([data], 1e-3);
  for (const s of seen) ortApi().release("ReleaseSession", s as bigint);
  process.exit(0);
}
