import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { encode as gptEncode } from "gpt-tokenizer/encoding/o200k_base";
import { get_encoding } from "tiktoken";
import { Tokenizer as RustTokenizer } from "tokenizers";
import type { getTokenizer } from "../src/tokenizers/index.ts";
import { documents, english, mixed, typescript } from "./tokenizers-corpus.ts";
import { o200kTokenizerJson } from "./tokenizers-o200k.ts";

const face = resolve(import.meta.dirname, "../dist/registry.mjs");

interface Contender {
  readonly name: string;
  encode(texts: readonly string[]): Promise<ArrayLike<number>[]>;
}

async function contenders(): Promise<Contender[]> {
  const json = o200kTokenizerJson();
  // What users run: built modules, as the others are. Through jiti, every import would cost a property access.
  const built = (await import(pathToFileURL(face).href)) as { getTokenizer: typeof getTokenizer };
  const own = await built.getTokenizer("bpe");
  own.load?.({ "tokenizer.json": json });
  const rust = RustTokenizer.fromString(json);
  const tiktoken = get_encoding("o200k_base");
  return [
    { name: "codex-ml", encode: async (texts) => texts.map((text) => own.encode(text)) },
    {
      name: "gpt-tokenizer",
      encode: async (texts) => texts.map((text) => gptEncode(text, { disallowedSpecial: new Set() })),
    },
    { name: "tiktoken (WASM)", encode: async (texts) => texts.map((text) => tiktoken.encode_ordinary(text)) },
    {
      name: "tokenizers (Rust)",
      encode: async (texts) => (await rust.encodeBatch([...texts])).map((encoding) => encoding.getIds()),
    },
  ];
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function encoding(rounds: number): Promise<void> {
  const all = await contenders();
  for (const [language, text] of [
    ["English", english(5_000_000)],
    ["TypeScript", typescript(5_000_000)],
  ] as const) {
    const texts = documents(text);
    const megabytes = Buffer.byteLength(text) / 1e6;
    const times = all.map((): number[] => []);
    const ids: Int32Array[] = [];
    for (let round = 0; round <= rounds; round++)
      for (const [index, contender] of all.entries()) {
        const started = performance.now();
        const encoded = await contender.encode(texts);
        times[index]?.push((performance.now() - started) / 1000);
        if (round === 0) ids.push(Int32Array.from(encoded.flatMap((one) => Array.from(one))));
      }
    console.log(
      `\nEncoding ${megabytes.toFixed(1)} MB of ${language} with o200k_base (${ids[0]?.length} tokens), MB/s`,
    );
    const speeds = times.map(
      ([first = 0, ...later]) => [megabytes / first, megabytes / median(later)] as const,
    );
    for (const [index, { name }] of all.entries()) {
      const [first, later] = speeds[index] ?? [0, 0];
      const ratio = (speeds[0]?.[1] ?? 0) / later;
      const [ours, theirs] = [ids[0], ids[index]];
      const same = ours?.length === theirs?.length && ours?.every((id, at) => id === theirs?.[at]) === true;
      console.log(
        `  ${name.padEnd(18)} first ${first.toFixed(1).padStart(6)}   then ${later.toFixed(1).padStart(6)}   codex-ml is ${ratio.toFixed(2)} × as fast   ${same ? "same ids" : "OTHER IDS"}`,
      );
    }
  }
}

function training(rounds: number, python: string | undefined): void {
  const directory = mkdtempSync(join(tmpdir(), "codex-ml-bench-"));
  try {
    const file = join(directory, "corpus.txt");
    const text = mixed(50_000_000);
    writeFileSync(file, text);
    console.log(
      `\nTraining BPE of 8,000 ids on ${(Buffer.byteLength(text) / 1e6).toFixed(1)} MB, ${availableParallelism()} cores`,
    );
    const programs: [string, string, string[]][] = [
      ["codex-ml", process.execPath, [join(import.meta.dirname, "tokenizers-child.mjs")]],
    ];
    if (python !== undefined)
      programs.push(["tokenizers (Rust)", python, [join(import.meta.dirname, "tokenizers_peer.py")]]);
    const results = programs.map((): { seconds: number; megabytes: number; ids: number }[] => []);
    for (let round = 0; round < rounds; round++)
      for (const [index, [, program, args]] of programs.entries())
        results[index]?.push(
          JSON.parse(execFileSync(program, [...args, file, "8000"], { encoding: "utf8" })),
        );
    for (const [index, [name]] of programs.entries()) {
      const own = results[index] ?? [];
      const seconds = median(own.map((one) => one.seconds));
      const ratio = seconds / median((results[0] ?? []).map((one) => one.seconds));
      console.log(
        `  ${name.padEnd(18)} ${seconds.toFixed(2).padStart(6)} s   peak ${median(
          own.map((one) => one.megabytes),
        )
          .toFixed(0)
          .padStart(5)} MB of the process   ${own[0]?.ids} ids   codex-ml is ${ratio.toFixed(2)} × as fast`,
      );
    }
    if (python === undefined)
      console.log("  For Hugging Face's trainer beside it: --python PATH (bench/README.md).");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: "string", default: "5" }, python: { type: "string" } },
  });
  if (!existsSync(face)) {
    console.error("dist/registry.mjs is missing: `npm run build` first");
    return 2;
  }
  const rounds = Number(values.rounds);
  await encoding(rounds);
  training(Math.min(3, rounds), values.python);
  return 0;
}
