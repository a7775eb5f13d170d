import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { dataLoaderRegistry, type Example } from "../src/data-loaders/index.ts";
import { jsonlRows } from "../src/data-loaders/jsonl.ts";
import { parquetRows } from "../src/data-loaders/parquet.ts";
import { type KnownFile, rawBytes } from "../src/data-loaders/records/file-bytes.ts";
import { Random } from "../src/tensor/index.ts";
import { getTokenizer } from "../src/tokenizers/index.ts";

const WORDS = "the whale was seen — by Ishmael, who said nothing of it until morning".split(" ");

/** Records of 100 to 250 words; some characters take several bytes. */
function* records(bytes: number): Generator<{ id: number; title: string; text: string; label: number }> {
  const random = new Random(1);
  for (let id = 0, written = 0; written < bytes; id++) {
    const count = 100 + random.integer(150);
    const text = Array.from({ length: count }, () => WORDS[random.integer(WORDS.length)]).join(" ");
    written += Buffer.byteLength(text) + 50;
    yield { id, title: `title ${id}`, text, label: id % 3 };
  }
}

function known(path: string): KnownFile {
  const { size, mtimeNs } = statSync(path, { bigint: true });
  return { path, name: path, bytes: Number(size), changed: mtimeNs };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

type Task = readonly [name: string, bytes: number, run: () => Promise<unknown>];

/** The tasks take turns, and their first turn does not count. */
async function compare(title: string, rounds: number, tasks: readonly Task[]): Promise<void> {
  const seconds = tasks.map((): number[] => []);
  const processor = tasks.map((): number[] => []);
  for (let round = -1; round < rounds; round++)
    for (const [at, [, , run]] of tasks.entries()) {
      const [start, used] = [performance.now(), process.cpuUsage()];
      await run();
      const { user, system } = process.cpuUsage(used);
      if (round < 0) continue;
      seconds[at]?.push((performance.now() - start) / 1e3);
      processor[at]?.push((user + system) / 1e6);
    }
  console.log(`\n${title}`);
  for (const [at, [name, bytes]] of tasks.entries()) {
    const rate = (values: readonly number[] = []): string =>
      `${(bytes / 1e6 / median(values)).toFixed(0).padStart(6)} MB/s`;
    console.log(`  ${name.padEnd(44)} ${rate(seconds[at])}   by processor time ${rate(processor[at])}`);
  }
}

/** Rows of 16 sequences: ids, labels and, where there are any, documents. */
function intoBatches(sequenceLength: number): (example: Example) => number {
  const width = sequenceLength + 1;
  const [ids, labels, documents] = [1, 2, 3].map(() => new Int32Array(16 * width)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  let row = 0;
  return (example) => {
    if ("text" in example) return 0;
    const { inputIds, documentIds } = example;
    ids.set(inputIds, row * width);
    labels.set(example.labels ?? inputIds, row * width);
    if (documentIds === undefined) documents.fill(1, row * width, (row + 1) * width);
    else documents.set(documentIds, row * width);
    row = (row + 1) % 16;
    return 3 * 4 * inputIds.length;
  };
}

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      megabytes: { type: "string", default: "200" },
      rounds: { type: "string", default: "5" },
      length: { type: "string", default: "1024" },
    },
  });
  const [megabytes, rounds, sequenceLength] = [values.megabytes, values.rounds, values.length].map(
    Number,
  ) as [number, number, number];
  const directory = mkdtempSync(join(tmpdir(), "codex-ml-bench-"));
  try {
    const all = [...records(megabytes * 1e6)];
    const [jsonl, parquet] = [join(directory, "a.jsonl"), join(directory, "a.parquet")];
    writeFileSync(jsonl, all.map((one) => `${JSON.stringify(one)}\n`).join(""));
    const columnData = (["title", "text", "label"] as const).map((name) => ({
      name,
      data: all.map((one) => one[name]),
    }));
    writeFileSync(parquet, Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: 20_000 })));
    await formats(rounds, known(jsonl), known(parquet), all.length);
    await tokens(rounds, directory, sequenceLength);
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function formats(rounds: number, jsonl: KnownFile, parquet: KnownFile, count: number): Promise<void> {
  const counted = async (rows: AsyncIterable<readonly unknown[]>): Promise<void> => {
    let read = 0;
    for await (const batch of rows) read += batch.length;
    if (read !== count) throw new Error(`${read} rows instead of ${count}`);
  };
  await compare(`JSON Lines: ${count} records, ${(jsonl.bytes / 1e6).toFixed(0)} MB`, rounds, [
    ["reading the bytes alone", jsonl.bytes, async () => drain(rawBytes(jsonl))],
    ["the loader's rows", jsonl.bytes, () => counted(jsonlRows(jsonl))],
    [
      "node:readline and JSON.parse",
      jsonl.bytes,
      async () => {
        const lines = createInterface({
          input: createReadStream(jsonl.path),
          crlfDelay: Number.POSITIVE_INFINITY,
        });
        for await (const line of lines) JSON.parse(line);
      },
    ],
  ]);
  await compare(`Parquet (snappy): ${count} rows, ${(parquet.bytes / 1e6).toFixed(0)} MB`, rounds, [
    ["the loader's rows", parquet.bytes, () => counted(parquetRows(parquet, ["text", "label"]))],
    [
      "hyparquet alone, by row groups",
      parquet.bytes,
      async () => {
        const file = await asyncBufferFromFile(parquet.path);
        const metadata = await parquetMetadataAsync(file);
        let rowStart = 0;
        for (const { num_rows } of metadata.row_groups) {
          const rowEnd = rowStart + Number(num_rows);
          await parquetReadObjects({ file, metadata, columns: ["text", "label"], rowStart, rowEnd });
          rowStart = rowEnd;
        }
      },
    ],
  ]);
}

async function tokens(rounds: number, directory: string, sequenceLength: number): Promise<void> {
  const tokenizer = await getTokenizer("byte");
  for (const packing of [true, false]) {
    const open = () =>
      dataLoaderRegistry.create(
        "jsonl",
        { path: "a.jsonl", validation: 0, packing, cache: "cache" },
        { directory },
      );
    const request = { tokenizer, sequenceLength, seed: 1, epoch: 0, start: 0 };
    const first = performance.now();
    for await (const _ of (await open()).examples("train", { ...request, shuffle: true })) break;
    const made = performance.now();
    const loader = await open();
    for await (const _ of loader.examples("train", { ...request, shuffle: true })) break;
    const opened = performance.now();
    let bytes = 0;
    let count = 0;
    const read = (shuffle: boolean, epoch: number) => async () => {
      const put = intoBatches(sequenceLength);
      bytes = 0;
      count = 0;
      for await (const example of loader.examples("train", { ...request, epoch, shuffle })) {
        bytes += put(example);
        count++;
      }
    };
    await read(false, 0)();
    await compare(
      `Cached tokens, ${packing ? "packed" : "a document each"}, T = ${sequenceLength}: ${count} examples, ` +
        `${(bytes / 1e6).toFixed(0)} MB of batches (ids, labels, documents, int32); ` +
        `made in ${((made - first) / 1e3).toFixed(1)} s, opened in ${(opened - made).toFixed(0)} ms`,
      rounds,
      [
        ["shuffled", bytes, read(true, 1)],
        ["in order", bytes, read(false, 0)],
      ],
    );
    const start = count - 1;
    const before = performance.now();
    for await (const _ of loader.examples("train", { ...request, shuffle: true, start })) break;
    console.log(
      `  the last example, by its position            ${(performance.now() - before).toFixed(1)} ms`,
    );
  }
}

async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of chunks);
}
