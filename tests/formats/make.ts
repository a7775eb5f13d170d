/**
 * Writes `tests/formats/v1`, say: one of each thing that Codex ML leaves on a disk, as the version of today writes it. Run it when a
 * format gets a new version, into a new folder, and keep the old one: `npx jiti tests/formats/make.ts v2`.
 */
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { getDataLoader } from "../../src/data-loaders/index.ts";
import { train } from "../../src/run/train.ts";
import { getTokenizer } from "../../src/tokenizers/index.ts";
import { sentences } from "../cli/tiny.ts";

const runYaml = `seed: 7
tokenizer: { name: bpe, vocabSize: 300 }
data: { name: text, path: corpus.txt, validation: 0.2 }
model: { name: gpt2, numHiddenLayers: 1, numAttentionHeads: 2, hiddenSize: 8, maxPositionEmbeddings: 16 }
trainer: { name: causal_lm, maxSteps: 2, batchSize: 2, learningRate: 0.01, evalSteps: 1, samplePrompt: the }
metrics: [perplexity, token_accuracy]
`;

const [version] = process.argv.slice(2);
if (version === undefined) throw new Error("usage: npx jiti tests/formats/make.ts v1");
const target = join(import.meta.dirname, version);
const folder = await mkdtemp(join(tmpdir(), "codex-ml-formats-"));
await writeFile(join(folder, "corpus.txt"), sentences(60));
await writeFile(join(folder, "run.yaml"), runYaml);
await writeFile(join(folder, "run.json"), `${JSON.stringify(parse(runYaml), undefined, 2)}\n`);
await writeFile(
  join(folder, "changes.yaml"),
  "extends: ./run.yaml\ntrainer: { maxSteps: null, numTrainEpochs: 1 }\n",
);
const run = await train(join(folder, "run.yaml"), { out: join(folder, "run") });
for await (const event of run) if (event.type === "evaluation") console.log(event.step, event.loss);
const loaded = await run.load();
const { loss, metrics } = await loaded.evaluate();
const expected = { loss, metrics, ids: [...loaded.tokenizer.encode("the cat watches the dog.")] };
await writeFile(join(folder, "expected.json"), `${JSON.stringify(expected, undefined, 2)}\n`);

// A cache of tokens, under a name of its own: Git leaves `.codex-ml` and `runs` out.
const records = ["one two", "three", "four five six"].map((text) => `${JSON.stringify({ text })}\n`).join("");
await writeFile(join(folder, "records.jsonl"), records);
const loader = await getDataLoader("jsonl", {
  path: join(folder, "records.jsonl"),
  cache: join(folder, "cache"),
  validation: 0,
});
const tokenizer = await getTokenizer("byte");
for await (const _ of loader.examples("train", {
  tokenizer,
  sequenceLength: 8,
  seed: 1,
  epoch: 0,
  shuffle: false,
  start: 0,
}))
  break;
// It tells Git to leave the cache out.
await rm(join(folder, "cache", ".gitignore"));
await rm(target, { recursive: true, force: true });
await mkdir(target);
for (const name of await readdir(folder))
  await cp(join(folder, name), join(target, name), { recursive: true });
await rm(folder, { recursive: true });
