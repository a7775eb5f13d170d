/** Spam: F1 of `embedding_bag` and of a 2-layer BERT from scratch, beside scikit-learn's TF-IDF + logistic regression. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { DataLoader, Split } from "../src/data-loaders/index.ts";
import { dataLoaderRegistry } from "../src/data-loaders/index.ts";
import { importModules } from "../src/run/imports.ts";
import { loadRunFile } from "../src/run/run-file.ts";
import { train } from "../src/run/train.ts";
import { tokenizerRegistry } from "../src/tokenizers/index.ts";

const runFile = "examples/spam.yaml";
const bert =
  "model={name: bert, hiddenSize: 128, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 512, maxPositionEmbeddings: 256}";
const runs = {
  embedding_bag: [],
  "bert, 2 layers": [bert, "trainer.learningRate=5e-4", "trainer.maxSteps=450", "trainer.batchSize=16"],
} as const;

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { python: { type: "string" } } });
  const folder = mkdtempSync(join(tmpdir(), "codex-ml-classify-"));
  try {
    const rows: string[][] = [["", "F1 of spam", "seconds"]];
    for (const [name, set] of Object.entries(runs)) {
      const started = performance.now();
      const run = await train(runFile, { set, out: join(folder, name.replaceAll(/\W/g, "-")) });
      const { evaluation } = await run.finish();
      const seconds = (performance.now() - started) / 1000;
      const { metrics } = await (await run.load()).evaluate();
      const f1 = (metrics.f1 as Readonly<Record<string, number>>).spam ?? Number.NaN;
      rows.push([name, f1.toFixed(4), `${seconds.toFixed(0)} (${evaluation?.tokens} held out)`]);
    }
    if (values.python !== undefined) {
      const file = join(folder, "split.json");
      writeFileSync(file, JSON.stringify(await texts()));
      const out = execFileSync(values.python, [join(import.meta.dirname, "classify_peer.py"), file], {
        encoding: "utf8",
      });
      const peer = JSON.parse(out) as { version: string; f1: number; seconds: number };
      rows.push([`scikit-learn ${peer.version}`, peer.f1.toFixed(4), peer.seconds.toFixed(0)]);
    }
    for (const [name = "", f1 = "", seconds = ""] of rows)
      console.log(`${name.padEnd(22)}  ${f1.padStart(10)}  ${seconds}`);
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The texts and labels of both splits, as the runs had them. */
async function texts(): Promise<Readonly<Record<"train" | "validation", [string, string][]>>> {
  await importModules(["examples/spam/emails.ts"], process.cwd());
  const { config, directory } = await loadRunFile(runFile);
  if (!("options" in config.data)) throw new Error("the run file names its data");
  const data = await dataLoaderRegistry.create(config.data.name, config.data.options, { directory });
  return { train: await pairs(data, "train"), validation: await pairs(data, "validation") };
}

async function pairs(data: DataLoader, split: Split): Promise<[string, string][]> {
  const tokenizer = await tokenizerRegistry.create("byte");
  const request = { tokenizer, sequenceLength: 256, seed: 1, epoch: 0, shuffle: false, start: 0 };
  const found: [string, string][] = [];
  for await (const example of data.examples(split, request))
    if ("text" in example && typeof example.label === "string") found.push([example.text, example.label]);
  return found;
}
