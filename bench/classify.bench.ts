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
import { saveResults } from "./results.ts";

const runFile = "examples/spam.yaml";
const bert =
  "model={name: bert, hiddenSize: 128, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 512, maxPositionEmbeddings: 256}";
const runs: Readonly<Record<string, readonly string[]>> = {
  embedding_bag: [],
  "bert, 2 layers": [
    bert,
    "trainer.sequenceLength=256",
    "trainer.learningRate=5e-4",
    "trainer.maxSteps=450",
    "trainer.batchSize=16",
  ],
};
const splits = ["train", "validation", "test"] as const;

/** One way to classify, once a seed. F1 is that of spam on the test split, which chose nothing. */
interface Measured {
  readonly name: string;
  /** What the run file was changed by, or what the peer chose on the validation split. */
  readonly settings: unknown;
  readonly seeds: readonly number[];
  readonly f1: readonly number[];
  /** Training and evaluation of one seed, on average; of the peer, the whole grid. */
  readonly seconds: number;
}

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      python: { type: "string" },
      seeds: { type: "string", default: "1" },
      record: { type: "boolean", default: false },
    },
  });
  const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => at + 1);
  if (seeds.length === 0) throw new Error(`--seeds: expected how many, from 1; got ${values.seeds}`);
  const folder = mkdtempSync(join(tmpdir(), "codex-ml-classify-"));
  try {
    const data = await records();
    const sizes = Object.fromEntries(splits.map((split) => [split, data[split].length]));
    console.log(
      `emails: ${splits.map((split) => `${sizes[split]} ${split}`).join(", ")}; F1 of spam on test\n`,
    );
    const measured: Measured[] = [];
    const done = (one: Measured): void => {
      measured.push(one);
      console.log(line(one));
    };
    if (values.python !== undefined) done(peer(values.python, join(folder, "splits.json"), data));
    for (const [name, set] of Object.entries(runs)) done(await ours(name, set, seeds, folder));
    const file = saveResults("classify", values.record, { runFile, emails: sizes, measured });
    console.log(`\nwritten to ${file}`);
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Trains once a seed, and judges the last checkpoint. */
async function ours(
  name: string,
  set: readonly string[],
  seeds: readonly number[],
  folder: string,
): Promise<Measured> {
  const started = performance.now();
  const f1: number[] = [];
  for (const seed of seeds) {
    const out = join(folder, `${name.replaceAll(/\W/g, "-")}-${seed}`);
    const run = await train(runFile, { set: [...set, `seed=${seed}`], out });
    await run.finish();
    const { metrics } = await (await run.load()).evaluate({ split: "test" });
    f1.push((metrics.f1 as Readonly<Record<string, number>>).spam ?? Number.NaN);
  }
  return { name, settings: set, seeds, f1, seconds: (performance.now() - started) / 1000 / seeds.length };
}

type Records = Readonly<Record<Split, readonly (readonly [text: string, label: string])[]>>;

function peer(python: string, file: string, data: Records): Measured {
  writeFileSync(file, JSON.stringify(data));
  const out = execFileSync(python, [join(import.meta.dirname, "classify_peer.py"), file], {
    encoding: "utf8",
  });
  const { version, ngrams, C, validation, f1, seconds } = JSON.parse(out) as Readonly<
    Record<"ngrams" | "C" | "validation" | "f1" | "seconds", number>
  > & { readonly version: string };
  return {
    name: `scikit-learn ${version}`,
    settings: { ngrams, C, validation },
    seeds: [],
    f1: [f1],
    seconds,
  };
}

function line({ name, settings, f1, seconds }: Measured): string {
  const mean = f1.reduce((sum, one) => sum + one, 0) / f1.length;
  const range = f1.length > 1 ? ` (${Math.min(...f1).toFixed(4)} to ${Math.max(...f1).toFixed(4)})` : "";
  const chosen = Array.isArray(settings) ? "" : `  chose ${JSON.stringify(settings)}`;
  return `${name.padEnd(20)} ${mean.toFixed(4)}${range}  ${seconds.toFixed(0)} s${chosen}`;
}

/** The texts and labels of the splits, as the runs have them. */
async function records(): Promise<Records> {
  await importModules(["examples/spam/emails.ts"], process.cwd());
  const { config, directory } = await loadRunFile(runFile);
  if (!("options" in config.data)) throw new Error("the run file names its data");
  const data = await dataLoaderRegistry.create(config.data.name, config.data.options, { directory });
  return {
    train: await pairs(data, "train"),
    validation: await pairs(data, "validation"),
    test: await pairs(data, "test"),
  };
}

async function pairs(data: DataLoader, split: Split): Promise<readonly (readonly [string, string])[]> {
  const tokenizer = await tokenizerRegistry.create("byte");
  const request = { tokenizer, sequenceLength: 256, seed: 1, epoch: 0, shuffle: false, start: 0 };
  const found: [string, string][] = [];
  for await (const example of data.examples(split, request))
    if ("text" in example && typeof example.label === "string") found.push([example.text, example.label]);
  return found;
}
