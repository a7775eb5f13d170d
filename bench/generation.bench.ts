import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { parseArgs } from "node:util";
import { gpt2 } from "../src/models/gpt2.ts";
import { runtimeInfo } from "../src/runtime/index.ts";
import type { Tokenizer } from "../src/tokenizers/index.ts";
import { TextGenerator } from "../src/trainers/generation/index.ts";
import { allocateWeights, initialize } from "../src/trainers/weights.ts";
import { machine, rounded } from "./results.ts";

/** GPT-2's smallest size. */
const shape = { layers: 12, width: 768, heads: 12, vocabulary: 50257, positions: 1024 };

/** Seconds by the clock, and of the processor time of the process. */
interface Seconds {
  readonly clock: number;
  readonly processor: number;
}

/** Writes so many tokens after the prompt; gives the seconds that it took. */
interface Writer {
  readonly name: string;
  write(tokens: number): Promise<Seconds>;
  end(): void;
}

/** Ids as text. */
const tokenizer: Tokenizer = {
  vocabSize: shape.vocabulary,
  encode: (text) => Int32Array.from(text.split(" "), Number),
  decode: (ids) => [...ids].join(" "),
};

async function ourselves(promptTokens: number): Promise<readonly [cached: Writer, uncached: Writer]> {
  const options = await gpt2.options?.["~standard"].validate({
    vocabSize: shape.vocabulary,
    maxPositionEmbeddings: shape.positions,
    hiddenSize: shape.width,
    numHiddenLayers: shape.layers,
    numAttentionHeads: shape.heads,
  });
  if (!options || options.issues) throw new Error(JSON.stringify(options?.issues));
  const model = await gpt2.create(options.value, { directory: "." });
  const weights = allocateWeights(model);
  initialize(model, weights, 1);
  const prompt = Array.from({ length: promptTokens }, (_, at) => (at * 7919) % shape.vocabulary).join(" ");
  const started = performance.now();
  const generator = new TextGenerator(model, tokenizer, weights);
  const written = async (maxNewTokens: number, useCache: boolean) => {
    const [started, used] = [performance.now(), process.cpuUsage()];
    const given = { maxNewTokens, temperature: 0, seed: 1, useCache };
    let text = "";
    for await (const piece of generator.generate(prompt, weights, given)) text += piece;
    if (text.split(" ").length !== maxNewTokens) throw new Error(`wrote ${text}`);
    const { user, system } = process.cpuUsage(used);
    return { clock: (performance.now() - started) / 1000, processor: (user + system) / 1e6 };
  };
  await written(2, true);
  console.log(
    `codex-ml: graphs traced and compiled, and two tokens written: ${rounded(performance.now() - started)} ms`,
  );
  const end = () => {};
  return [
    { name: "codex-ml", write: (tokens) => written(tokens, true), end },
    { name: "codex-ml, no cache", write: (tokens) => written(tokens, false), end },
  ];
}

/** A Python that waits for numbers of tokens. */
async function peer(python: string, promptTokens: number, threads: number): Promise<Writer> {
  const { layers, width, heads, vocabulary, positions } = shape;
  const args = [layers, width, heads, vocabulary, positions, promptTokens, threads].map(String);
  const child: ChildProcess = spawn(python, [join(import.meta.dirname, "generation_peer.py"), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("the peer has no output");
  const lines = (createInterface({ input: child.stdout }) as Interface)[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${python} ended`);
    return String(value);
  };
  const name = await line();
  return {
    name,
    write: async (tokens) => {
      child.stdin?.write(`${tokens}\n`);
      const [clock = Number.NaN, processor = Number.NaN] = (await line()).split(" ").map(Number);
      return { clock, processor };
    },
    end: () => child.stdin?.end(),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Seconds of a token, round by round. */
interface Times {
  readonly prompt: number[];
  readonly token: number[];
  readonly processor: number[];
}

/** Tokens a second: the median, and the best. */
function speed(seconds: readonly number[]): string {
  return `${String(rounded(1 / median(seconds))).padStart(5)} (best ${String(rounded(1 / Math.min(...seconds))).padStart(5)})`;
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      python: { type: "string" },
      threads: { type: "string", multiple: true, default: [String(availableParallelism()), "1"] },
      rounds: { type: "string", default: "7" },
      prompt: { type: "string", default: "128" },
      tokens: { type: "string", default: "64" },
    },
  });
  const [rounds, prompt, tokens] = [values.rounds, values.prompt, values.tokens].map(Number) as [
    number,
    number,
    number,
  ];
  const { version, threads } = runtimeInfo();
  const { processor, node, loadAverage } = machine();
  console.log(
    `ONNX Runtime ${version}, ${threads} threads, Node ${node}, ${processor}, load average ${loadAverage}`,
  );
  console.log(
    `GPT-2 of ${shape.layers} x ${shape.width}, greedy, ${tokens} tokens after ${prompt}; ${rounds} rounds, by turns`,
  );
  const [cached, uncached] = await ourselves(prompt);
  const contenders: Writer[] = [cached];
  if (values.python !== undefined)
    for (const count of new Set(values.threads))
      contenders.push(await peer(values.python, prompt, Number(count)));

  const times = contenders.map((): Times => ({ prompt: [], token: [], processor: [] }));
  for (let round = -1; round < rounds; round++)
    for (const [at, writer] of contenders.entries()) {
      const first = await writer.write(1);
      const all = await writer.write(tokens);
      if (round < 0) continue;
      times[at]?.prompt.push(first.clock / prompt);
      times[at]?.token.push((all.clock - first.clock) / (tokens - 1));
      times[at]?.processor.push((all.processor - first.processor) / (tokens - 1));
    }
  for (const [at, { name }] of contenders.entries()) {
    const { prompt = [], token = [], processor = [] } = times[at] ?? {};
    console.log(
      `  ${name.padEnd(52)} prompt ${speed(prompt)}, then ${speed(token)} tokens/s; ` +
        `processor time of a token ${rounded(1000 * median(processor))} ms (least ${rounded(1000 * Math.min(...processor))})`,
    );
  }
  const [ours, ...peers] = times;
  if (ours !== undefined && peers.length > 0)
    for (const what of ["prompt", "token"] as const) {
      const ratio = (of: (values: readonly number[]) => number) =>
        rounded(Math.min(...peers.map((one) => of(one[what]))) / of(ours[what]));
      console.log(
        `  ${what}: ${ratio(median)} x the speed of transformers with its better number of threads, ` +
          `${ratio((values) => Math.min(...values))} x by the best of each`,
      );
    }
  const few = 4;
  const slow = ((await uncached.write(few)).clock - (await uncached.write(1)).clock) / (few - 1);
  console.log(`  ${uncached.name}: ${rounded(1 / slow)} tokens/s after the prompt`);
  for (const writer of contenders) writer.end();
  return 0;
}
