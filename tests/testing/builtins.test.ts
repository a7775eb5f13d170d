/** Built-ins get no privilege: the same checks as for a stranger's package. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dataLoaders } from "../../src/data-loaders/index.ts";
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
import { hf } from "../../src/tokenizers/hf.ts";
import { getTokenizer, tokenizers } from "../../src/tokenizers/index.ts";
import { unigram } from "../../src/tokenizers/unigram.ts";
import { whitespace } from "../../src/tokenizers/whitespace.ts";
import { wordpiece } from "../../src/tokenizers/wordpiece.ts";
import { causalLm } from "../../src/trainers/causal-lm.ts";
import { trainers } from "../../src/trainers/index.ts";

const directory = mkdtempSync(join(tmpdir(), "codex-ml-conformance-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeAll(async () => {
  // No two stretches of it are alike, so that what is held out cannot be in train by chance.
  const lines = (from: number, count: number) =>
    Array.from(
      { length: count },
      (_, line) => `line ${from + line}: ${(from + line) ** 3} is its cube.\n`,
    ).join("");
  writeFileSync(join(directory, "corpus.txt"), lines(1, 200));
  writeFileSync(join(directory, "other.txt"), lines(500, 20));
  const tokenizer = await getTokenizer("bpe", { vocabSize: 400 });
  await tokenizer.train?.(
    (async function* () {
      yield lines(1, 200);
    })(),
  );
  // None of ours can be this one: Hugging Face's JavaScript library runs it.
  const json = tokenizer.save?.()["tokenizer.json"] ?? "";
  mkdirSync(join(directory, "tokenizer"));
  writeFileSync(
    join(directory, "tokenizer/tokenizer.json"),
    json.replace(/"add_prefix_space": false/, '"add_prefix_space": true'),
  );
});

const conformance: Readonly<Record<string, Readonly<Record<string, readonly ConformanceCheck[]>>>> = {
  [tokenizers.kind]: {
    byte: tokenizerConformance(byte, { invalidOptions: [{ vocabSize: 300 }] }),
    char: tokenizerConformance(char, { lossless: false }),
    whitespace: tokenizerConformance(whitespace, {
      lossless: false,
      invalidOptions: [{ vocabSize: 2 }, { specialTokens: ["<unk>"] }, { normalizer: "nfx" }],
    }),
    bpe: tokenizerConformance(bpe, {
      options: { vocabSize: 400, specialTokens: ["<|endoftext|>", "<pad>"] },
      invalidOptions: [{ vocabSize: 256 }, { minFrequency: 0 }, { specialTokens: ["<s>", "<s>"] }],
    }),
    wordpiece: tokenizerConformance(wordpiece, {
      options: { vocabSize: 500 },
      lossless: false,
      invalidOptions: [{ vocabSize: 1 }, { specialTokens: ["[PAD]"] }, { limitAlphabet: 0 }],
    }),
    unigram: tokenizerConformance(unigram, {
      options: { vocabSize: 300 },
      lossless: false,
      invalidOptions: [{ vocabSize: 2 }, { specialTokens: ["<unk>"] }, { maxPieceLength: 0 }],
    }),
    hf: tokenizerConformance(hf, {
      directory,
      options: { path: "tokenizer" },
      lossless: false, // the file puts a space first
      invalidOptions: [{ path: "missing" }, { path: undefined }, { path: "corpus.txt" }],
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
