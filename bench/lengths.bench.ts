/** Padding: a 2-layer BERT classifies emails with batches as long as the longest sequence, as long as needed, and grouped. */
import { parseArgs } from "node:util";
import { dataLoaderRegistry } from "../src/data-loaders/index.ts";
import { modelRegistry } from "../src/models/index.ts";
import { adamW } from "../src/optim/index.ts";
import { tokenizerRegistry } from "../src/tokenizers/index.ts";
import { type BatchOptions, trainingBatches } from "../src/trainers/batching.ts";
import { classificationObjective } from "../src/trainers/classification-objective.ts";
import { lengthBuckets } from "../src/trainers/length-buckets.ts";
import { TrainingStep } from "../src/trainers/training-step.ts";

const labels = ["ham", "spam"];

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      emails: { type: "string", default: "examples/spam/.cache/emails.jsonl" },
      length: { type: "string", multiple: true, default: ["128", "256", "512"] },
      batches: { type: "string", default: "50" },
      rounds: { type: "string", default: "3" },
    },
  });
  const context = { directory: process.cwd() };
  const data = await dataLoaderRegistry.create(
    "jsonl",
    { path: values.emails, columns: { text: "text", label: "label" }, cache: false },
    context,
  );
  const tokenizer = await tokenizerRegistry.create("bpe", { vocabSize: 8192 });
  await tokenizer.train?.(data.texts("train"));
  console.log(
    `${values.batches} batches of 16: length, padding, seconds by the clock and by the processor with their ratios`,
  );
  for (const length of values.length.map(Number)) {
    const arms = await Promise.all(
      (["one length", "as long as needed", "groupByLength"] as const).map(async (name) => {
        const options: BatchOptions = {
          ...{
            data,
            tokenizer,
            vocabSize: tokenizer.vocabSize,
            batchSize: 16,
            sequenceLength: length,
            seed: 1,
          },
          objective: classificationObjective({ labels, multiLabel: false }),
          ...(name !== "one length" && { lengths: lengthBuckets(length) }),
          groupByLength: name === "groupByLength",
        };
        const model = await modelRegistry.create("bert", {
          ...{ vocabSize: tokenizer.vocabSize, labels, maxPositionEmbeddings: length },
          ...{ hiddenSize: 128, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 512 },
        });
        const step = new TrainingStep({ ...options, model, optimizer: adamW(), maxGradNorm: 1 });
        return {
          name,
          step,
          source: trainingBatches(options),
          seconds: [] as number[],
          processor: [] as number[],
          read: 0,
          all: 0,
        };
      }),
    );
    // The first round compiles the graphs and is not counted.
    for (let round = 0; round <= Number(values.rounds); round++)
      for (const arm of arms) {
        const started = performance.now();
        const used = process.cpuUsage();
        for (let at = 0; at < Number(values.batches); at++) {
          const { batch } = (await arm.source.next()).value;
          await arm.step.run([batch], 1e-4);
          if (round === 0) continue;
          arm.read += batch.tokens ?? 0;
          arm.all += batch.inputIds.length;
        }
        if (round === 0) continue;
        const { user, system } = process.cpuUsage(used);
        arm.seconds.push((performance.now() - started) / 1000);
        arm.processor.push((user + system) / 1e6);
      }
    const [base] = arms;
    for (const { name, seconds, processor, read, all } of arms)
      console.log(
        [
          String(length).padEnd(6),
          name.padEnd(20),
          `${(100 * (1 - read / all)).toFixed(1)} %`.padStart(7),
          ratio(median(seconds), base && median(base.seconds)),
          ratio(median(processor), base && median(base.processor)),
        ].join("  "),
      );
    for (const { source } of arms) await source.return(undefined as never);
  }
  return 0;
}

/** Seconds, and how much faster than the first arm that is. */
function ratio(seconds: number, base = seconds): string {
  return `${seconds.toFixed(2).padStart(7)} s ${(base / seconds).toFixed(2)}×`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
