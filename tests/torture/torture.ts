/** Kills a run at random moments and lets it go on, over and over. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { Random } from "../../src/tensor/random.ts";
import { corpus } from "../cli/tiny.ts";
import { type Outcome, outcome } from "../run-outcome.ts";

const cli = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url));

/** Everything that a resumed run could get wrong, in a second: dropout, accumulation, a schedule, evaluations, several epochs. */
const runFile = `seed: 7
tokenizer: { name: bpe, vocabSize: 300 }
data: { name: text, path: corpus.txt, validation: 0.1 }
model: { name: gpt2, numHiddenLayers: 1, numAttentionHeads: 2, hiddenSize: 16, maxPositionEmbeddings: 16, dropout: 0.1 }
trainer:
  name: causal_lm
  maxSteps: 40
  batchSize: 3
  gradientAccumulationSteps: 2
  warmupSteps: 5
  learningRate: 0.01
  evalSteps: 7
  saveSteps: 3
  sampleSteps: 9
  sampleTokens: 8
  metricForBestModel: loss
metrics: [perplexity, token_accuracy]
`;

export interface TortureOptions {
  readonly kills: number;
  /** An empty folder to work in. */
  readonly directory: string;
  /** Decides the moments. */
  readonly seed?: number;
  /** No more kills after so long. */
  readonly seconds?: number;
  readonly log?: (line: string) => void;
}

export interface TortureResult {
  readonly kills: number;
  /** Runs that ended as the one that nobody killed. */
  readonly identical: number;
  /** Kills in the middle of writing a checkpoint. */
  readonly whileSaving: number;
  readonly differences: readonly string[];
}

/** Trains once undisturbed; then kills so many runs, one each, lets each go on, and compares what comes of them. */
export async function torture(options: TortureOptions): Promise<TortureResult> {
  const { kills, directory, seed = 1, seconds = Number.POSITIVE_INFINITY, log = () => {} } = options;
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "corpus.txt"), corpus);
  await writeFile(join(directory, "run.yaml"), runFile);
  const begun = performance.now();
  await finish(directory, ["train", "run.yaml", "--out", "undisturbed"]);
  const took = performance.now() - begun;
  const expected = await outcome(join(directory, "undisturbed"));

  const random = new Random(seed);
  const differences: string[] = [];
  let done = 0;
  let whileSaving = 0;
  while (done < kills && (performance.now() - begun) / 1000 < seconds) {
    const name = `run-${done + 1}`;
    const run = join(directory, name);
    // Every other kill waits for a checkpoint to be in the making.
    const atSaving = done % 2 === 1;
    const delay = random.uniform() * took;
    const killed = await killOne(directory, name, atSaving, delay);
    if (!killed) {
      await rm(run, { recursive: true, force: true });
      continue;
    }
    done++;
    if (await isSaving(run)) whileSaving++;
    // One that was killed between its last event and its end has nothing left to do; it is compared as it stands.
    if (await isFinished(run)) log(`${name} had finished`);
    else if (existsSync(join(run, "manifest.json"))) await finish(directory, ["resume", name]);
    else {
      // Killed before there was a run: nothing to go on with.
      await rm(run, { recursive: true, force: true });
      await finish(directory, ["train", "run.yaml", "--out", name]);
    }
    const difference = differs(expected, await outcome(run));
    if (difference !== undefined) differences.push(`${name}: ${difference}`);
    log(`${done}/${kills}${difference === undefined ? "" : ` ${difference}`}`);
    if (difference === undefined) await rm(run, { recursive: true, force: true });
  }
  return { kills: done, identical: done - differences.length, whileSaving, differences };
}

/** The part in which two outcomes differ. */
function differs(expected: Outcome, actual: Outcome): string | undefined {
  return (Object.keys(expected) as (keyof Outcome)[]).find(
    (part) => !isDeepStrictEqual(expected[part], actual[part]),
  );
}

/** Trains, and kills the process; false when it ended before. */
async function killOne(directory: string, name: string, atSaving: boolean, delay: number): Promise<boolean> {
  const child = start(directory, ["train", "run.yaml", "--out", name]);
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once("close", (_, signal) => resolve(signal)),
  );
  if (atSaving) {
    const least = performance.now() + delay;
    while (child.exitCode === null && !(performance.now() > least && (await isSaving(join(directory, name)))))
      await sleep(1);
  } else await Promise.race([sleep(delay), ended]);
  child.kill("SIGKILL");
  return (await ended) === "SIGKILL";
}

/** Whether its last event is whole and says that it ended. */
async function isFinished(run: string): Promise<boolean> {
  const rows = (await readFile(join(run, "metrics.ndjson"), "utf8").catch(() => "")).split("\n");
  const last = rows.at(-1) === "" ? rows.at(-2) : undefined;
  return last !== undefined && last !== "" && (JSON.parse(last) as { readonly type?: string }).type === "end";
}

async function isSaving(run: string): Promise<boolean> {
  const names = await readdir(join(run, "checkpoints")).catch(() => []);
  return names.some((name) => name.startsWith("."));
}

async function finish(directory: string, args: readonly string[]): Promise<void> {
  const child = start(directory, args);
  let said = "";
  child.stderr?.on("data", (text: Buffer) => {
    said += text;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`codex-ml ${args.join(" ")} gave ${code}\n${said}`);
}

function start(cwd: string, args: readonly string[]) {
  return spawn(process.execPath, [cli, ...args], {
    cwd,
    env: { ...process.env, CODEX_ML_SPIN: "0", NO_COLOR: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
}
