/** Built-ins get no privilege: the same checks as for a stranger's package. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { code } from "../../src/data-loaders/code.ts";
import { csv } from "../../src/data-loaders/csv.ts";
import { dataLoaders } from "../../src/data-loaders/index.ts";
import { jsonl } from "../../src/data-loaders/jsonl.ts";
import { lines as linesLoader } from "../../src/data-loaders/lines.ts";
import { memory } from "../../src/data-loaders/memory.ts";
import { parquet } from "../../src/data-loaders/parquet.ts";
import { text } from "../../src/data-loaders/text.ts";
import { bitsPerByte } from "../../src/metrics/bits-per-byte.ts";
import { metrics } from "../../src/metrics/index.ts";
import { perplexity } from "../../src/metrics/perplexity.ts";
import { tokenAccuracy } from "../../src/metrics/token-accuracy.ts";
import { gpt2 } from "../../src/models/gpt2.ts";
import { models } from "../../src/models/index.ts";
import type { ConformanceCheck } from "../../src/testing/check.ts";
import { dataLoaderConformance } from "../../src/testing/data-loader.ts";
import { metricConformance } from "../../src/testing/metric.ts";
import { modelConformance } from "../../src/testing/model.ts";
import { tokenizerConformance } from "../../src/testing/tokenizer.ts";
import { trainerConformance } from "../../src/testing/trainer.ts";
import { bpe } from "../../src/tokenizers/bpe.ts";
import { byte } from "../../src/tokenizers/byte.ts";
import { char } from "../../src/tokenizers/char.ts";
import { tokenizers } from "../../src/tokenizers/index.ts";
import { causalLm } from "../../src/trainers/causal-lm.ts";
import { trainers } from "../../src/trainers/index.ts";

const directory = mkdtempSync(join(tmpdir(), "codex-ml-conformance-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeAll(() => {
  // No two stretches of it are alike, so that what is held out cannot be in train by chance.
  const lines = (from: number, count: number) =>
    Array.from(
      { length: count },
      (_, line) => `line ${from + line}: ${(from + line) ** 3} is its cube.\n`,
    ).join("");
  writeFileSync(join(directory, "corpus.txt"), lines(1, 200));
  writeFileSync(join(directory, "other.txt"), lines(500, 20));
  writeFileSync(join(directory, "records.jsonl"), records.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const rows = records.map(({ body, next, kind }) => `${body},${next},${kind}\n`);
  writeFileSync(join(directory, "records.csv"), `body,next,kind\n${rows.join("")}`);
  const columnData = (["body", "next", "kind"] as const).map((name) => ({
    name,
    data: records.map((one) => one[name]),
  }));
  writeFileSync(join(directory, "records.parquet"), Buffer.from(parquetWriteBuffer({ columnData })));
  mkdirSync(join(directory, "code"));
  for (const [at, { body }] of records.entries())
    writeFileSync(join(directory, "code", `${at}.ts`), `// ${body}\nexport const at = ${at};\n`);
});

const records = Array.from({ length: 60 }, (_, at) => ({
  body: `record ${at} has the number ${at ** 3}`,
  next: `after ${at} comes ${at + 1}`,
  kind: ["odd", "even"][at % 2] ?? "",
}));
/** What the loaders of records have in common. */
const forRecords = {
  directory,
  sequenceLength: 40,
  invalidOptions: [{ path: "missing.txt" }, { path: undefined }, { validation: 1 }, { onError: "ignore" }],
};
const classes = { columns: { text: "body", textPair: "next", label: "kind" }, test: 0.2 };

const conformance: Readonly<Record<string, Readonly<Record<string, readonly ConformanceCheck[]>>>> = {
  [tokenizers.kind]: {
    byte: tokenizerConformance(byte, { invalidOptions: [{ vocabSize: 300 }] }),
    char: tokenizerConformance(char, { lossless: false }),
    bpe: tokenizerConformance(bpe, {
      options: { vocabSize: 400, specialTokens: ["<|endoftext|>", "<pad>"] },
      invalidOptions: [{ vocabSize: 256 }, { minFrequency: 0 }, { specialTokens: ["<s>", "<s>"] }],
    }),
  },
  [metrics.kind]: {
    perplexity: metricConformance(perplexity, { tolerance: 0 }),
    bits_per_byte: metricConformance(bitsPerByte, { tolerance: 0 }),
    token_accuracy: metricConformance(tokenAccuracy, { tolerance: 0 }),
  },
  [dataLoaders.kind]: {
    text: dataLoaderConformance(text, {
      directory,
      options: { path: "corpus.txt" },
      sequenceLength: 48,
      otherOptions: { path: "other.txt" },
      invalidOptions: [{ path: "missing.txt" }, { path: undefined }, { validation: 1 }],
    }),
    lines: dataLoaderConformance(linesLoader, {
      ...forRecords,
      options: { path: "corpus.txt" },
      otherOptions: { path: "other.txt" },
    }),
    jsonl: dataLoaderConformance(jsonl, {
      ...forRecords,
      options: { path: "records.jsonl", packing: false, template: "{body}: {kind}", groupByLength: true },
    }),
    csv: dataLoaderConformance(csv, { ...forRecords, options: { path: "records.csv", ...classes } }),
    parquet: dataLoaderConformance(parquet, {
      ...forRecords,
      options: { path: "records.parquet", ...classes },
    }),
    code: dataLoaderConformance(code, {
      ...forRecords,
      options: { path: "code", cache: false },
      invalidOptions: [...forRecords.invalidOptions, { languages: ["klingon"] }],
    }),
    memory: dataLoaderConformance(memory, {
      directory,
      options: { examples: records, columns: { text: "body" }, packing: false },
      otherOptions: { examples: records.slice(1) },
      invalidOptions: [{ examples: [] }, { examples: [1] }, { packing: true, groupByLength: true }],
    }),
  },
  [models.kind]: {
    gpt2: modelConformance(gpt2, {
      options: {
        hiddenSize: 16,
        numHiddenLayers: 2,
        numAttentionHeads: 2,
        maxPositionEmbeddings: 20,
        dropout: 0.1,
      },
      invalidOptions: [{ numAttentionHeads: 3 }, { dropout: 1 }, { vocabSize: 0 }],
    }),
  },
  [trainers.kind]: {
    causal_lm: trainerConformance(causalLm, {
      options: { maxSteps: 20, batchSize: 8, learningRate: 0.02, sampleTokens: 4 },
      invalidOptions: [{ maxSteps: 0 }, { maxSteps: undefined }, { learningRate: -1 }],
    }),
  },
};

for (const kind of [tokenizers, metrics, dataLoaders, models, trainers])
  describe(kind.kind, () => {
    test("every built-in is here", () => {
      expect(Object.keys(conformance[kind.kind] ?? {})).toEqual(Object.keys(kind.builtins));
    });
    for (const [name, checks] of Object.entries(conformance[kind.kind] ?? {}))
      describe(name, () => {
        for (const check of checks) test(check.name, check.run);
      });
  });
