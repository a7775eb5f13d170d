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
import { accuracy } from "../../src/metrics/accuracy.ts";
import { averagePrecisionMetric } from "../../src/metrics/average-precision.ts";
import { bitsPerByte } from "../../src/metrics/bits-per-byte.ts";
import { bleu } from "../../src/metrics/bleu.ts";
import { cer } from "../../src/metrics/cer.ts";
import { chrf } from "../../src/metrics/chrf.ts";
import { confusionMatrix } from "../../src/metrics/confusion-matrix.ts";
import { dist1 } from "../../src/metrics/dist-1.ts";
import { dist2 } from "../../src/metrics/dist-2.ts";
import { editSimilarity } from "../../src/metrics/edit-similarity.ts";
import { exactMatch } from "../../src/metrics/exact-match.ts";
import { expectedCalibrationError } from "../../src/metrics/expected-calibration-error.ts";
import { f1 } from "../../src/metrics/f1.ts";
import { type Metric, metrics } from "../../src/metrics/index.ts";
import { mcc } from "../../src/metrics/mcc.ts";
import { passAtKMetric } from "../../src/metrics/pass-at-k.ts";
import { perplexity } from "../../src/metrics/perplexity.ts";
import { precision } from "../../src/metrics/precision.ts";
import { recall } from "../../src/metrics/recall.ts";
import { rocAuc } from "../../src/metrics/roc-auc.ts";
import { rouge } from "../../src/metrics/rouge.ts";
import { squadF1 } from "../../src/metrics/squad-f1.ts";
import { ter } from "../../src/metrics/ter.ts";
import { tokenAccuracy } from "../../src/metrics/token-accuracy.ts";
import { topKAccuracy } from "../../src/metrics/top-k-accuracy.ts";
import { wer } from "../../src/metrics/wer.ts";
import { bert } from "../../src/models/bert.ts";
import { embeddingBag } from "../../src/models/embedding-bag.ts";
import { gpt2 } from "../../src/models/gpt2.ts";
import { models } from "../../src/models/index.ts";
import { llama } from "../../src/models/llama.ts";
import type { Factory } from "../../src/registry/index.ts";
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
import { maskedLm } from "../../src/trainers/masked-lm.ts";
import { sequenceClassification } from "../../src/trainers/sequence-classification.ts";

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
const small = { hiddenSize: 16, numHiddenLayers: 2, numAttentionHeads: 2, maxPositionEmbeddings: 20 };
/** A metric of predicted classes, on everything that has such: tokens, one class and several labels. */
function classConformance(
  build: Factory<Metric>,
  invalidOptions: Readonly<Record<string, unknown>>[],
  all: object[] = [{}, { average: "none" }, { average: "weighted", zeroDivision: 1 }],
): ConformanceCheck[] {
  const kinds = ["tokens", "classes", "labels"] as const;
  return all.flatMap((options) =>
    kinds.flatMap((samples) => metricConformance(build, { options, samples, invalidOptions, tolerance: 0 })),
  );
}

function rankingConformance(build: Factory<Metric>): ConformanceCheck[] {
  const invalidOptions = [{ average: "binary" }, { positive: -1 }];
  return (["classes", "labels"] as const).flatMap((samples) => [
    ...metricConformance(build, { samples, invalidOptions, tolerance: 0 }),
    ...metricConformance(build, { samples, options: { average: "none" }, tolerance: 0 }),
  ]);
}

const conformance: Readonly<Record<string, Readonly<Record<string, readonly ConformanceCheck[]>>>> = {
  [tokenizers.kind]: {
    byte: tokenizerConformance(byte, { invalidOptions: [{ vocabSize: 300 }] }),
    char: tokenizerConformance(char, {
      options: { normalizer: "nfd", stripAccents: true, minFrequency: 2, specialTokens: ["</s>", "<pad>"] },
      lossless: false,
      invalidOptions: [{ vocabSize: 2 }, { specialTokens: ["a"] }, { normalizer: "nfc" }],
    }),
    whitespace: tokenizerConformance(whitespace, {
      lossless: false,
      invalidOptions: [{ vocabSize: 2 }, { specialTokens: ["<unk>"] }, { normalizer: "nfx" }],
    }),
    bpe: [
      ...tokenizerConformance(bpe, {
        options: { vocabSize: 400, specialTokens: ["<|endoftext|>", "<pad>"] },
        invalidOptions: [{ vocabSize: 256 }, { minFrequency: 0 }, { specialTokens: ["<s>", "<s>"] }],
      }),
      ...tokenizerConformance(bpe, {
        options: { vocabSize: 400, preTokenizer: "o200k", normalizer: "nfkc", lowercase: true, maxWords: 20 },
        lossless: false,
      }),
    ],
    wordpiece: tokenizerConformance(wordpiece, {
      options: { vocabSize: 500 },
      lossless: false,
      invalidOptions: [{ vocabSize: 1 }, { specialTokens: ["[PAD]"] }, { limitAlphabet: 0 }],
    }),
    unigram: [
      ...tokenizerConformance(unigram, {
        options: { vocabSize: 300 },
        lossless: false,
        invalidOptions: [{ vocabSize: 2 }, { specialTokens: ["<unk>"] }, { maxPieceLength: 0 }],
      }),
      ...tokenizerConformance(unigram, { options: { vocabSize: 500, byteFallback: true } }),
    ],
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
    accuracy: [
      ...metricConformance(accuracy, { tolerance: 0 }),
      ...metricConformance(accuracy, { tolerance: 0, samples: "classes" }),
      ...metricConformance(accuracy, { tolerance: 0, samples: "labels" }),
    ],
    top_k_accuracy: [
      ...metricConformance(topKAccuracy, { tolerance: 0, invalidOptions: [{ k: 0 }] }),
      ...metricConformance(topKAccuracy, { tolerance: 0, samples: "classes", options: { k: 2 } }),
    ],
    precision: classConformance(precision, [{ average: "samples" }, { zeroDivision: 0.5 }]),
    recall: classConformance(recall, [{ average: "samples" }, { positive: -1 }]),
    f1: classConformance(f1, [{ average: "samples" }, { positive: 1.5 }]),
    mcc: [
      ...metricConformance(mcc, { tolerance: 0, invalidOptions: [{ zeroDivision: 1 }] }),
      ...metricConformance(mcc, { tolerance: 0, samples: "classes" }),
    ],
    roc_auc: rankingConformance(rocAuc),
    average_precision: rankingConformance(averagePrecisionMetric),
    confusion_matrix: classConformance(confusionMatrix, [{ normalize: "rows" }], [{}, { normalize: "true" }]),
    expected_calibration_error: [
      ...metricConformance(expectedCalibrationError, { tolerance: 0, invalidOptions: [{ bins: 0 }] }),
      ...metricConformance(expectedCalibrationError, {
        tolerance: 0,
        samples: "labels",
        options: { bins: 3 },
      }),
    ],
    exact_match: [
      ...metricConformance(exactMatch, { tolerance: 0, invalidOptions: [{ normalize: "SQuAD" }] }),
      ...metricConformance(exactMatch, { tolerance: 0, options: { normalize: "squad" } }),
    ],
    squad_f1: metricConformance(squadF1, { tolerance: 0 }),
    bleu: metricConformance(bleu, {
      tolerance: 0,
      invalidOptions: [{ tokenize: "mecab" }, { maxNgramOrder: 0 }, { smoothValue: -1 }],
    }),
    chrf: [
      ...metricConformance(chrf, { tolerance: 0, invalidOptions: [{ charOrder: 0 }, { beta: 0 }] }),
      ...metricConformance(chrf, { tolerance: 0, options: { wordOrder: 2 } }),
    ],
    rouge: metricConformance(rouge, { tolerance: 0, invalidOptions: [{ types: [] }, { types: ["rouge3"] }] }),
    ter: metricConformance(ter, { tolerance: 0, invalidOptions: [{ noPunct: "yes" }] }),
    wer: metricConformance(wer, { tolerance: 0, invalidOptions: [{ ignoreCase: 1 }] }),
    cer: metricConformance(cer, { tolerance: 0 }),
    dist_1: metricConformance(dist1, { tolerance: 0, invalidOptions: [{ per: "line" }] }),
    dist_2: metricConformance(dist2, { tolerance: 0 }),
    edit_similarity: metricConformance(editSimilarity, { tolerance: 0, invalidOptions: [{ distance: "x" }] }),
    pass_at_k: metricConformance(passAtKMetric, {
      tolerance: 0,
      options: { k: [1, 2] },
      invalidOptions: [{ k: [] }, { k: [0] }],
    }),
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
      options: { path: "records.jsonl", packing: false, template: "{body}: {kind}" },
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
      invalidOptions: [{ examples: [] }, { examples: [1] }, { packing: true, columns: { label: "kind" } }],
    }),
  },
  [models.kind]: {
    gpt2: modelConformance(gpt2, {
      options: { ...small, dropout: 0.1 },
      invalidOptions: [{ numAttentionHeads: 3 }, { dropout: 1 }, { vocabSize: 0 }],
    }),
    llama: modelConformance(llama, {
      options: { ...small, numAttentionHeads: 4, numKeyValueHeads: 2, attentionDropout: 0.1 },
      invalidOptions: [{ numKeyValueHeads: 3 }, { headDim: 3 }, { hiddenSize: 4 }, { ropeTheta: 0 }],
    }),
    bert: [
      ...modelConformance(bert, {
        task: "masked_lm",
        options: small,
        invalidOptions: [{ numAttentionHeads: 3 }, { hiddenDropoutProb: 1 }],
      }),
      ...modelConformance(bert, {
        task: "sequence_classification",
        options: { ...small, labels: ["bad", "good"], classifierDropout: 0.2 },
        invalidOptions: [{ labels: [] }, { labels: ["same", "same"] }],
      }).map((check) => ({ ...check, name: `with labels, ${check.name}` })),
    ],
    embedding_bag: modelConformance(embeddingBag, {
      task: "sequence_classification",
      options: { hiddenSize: 8, wordNgrams: 3, buckets: 50 },
      invalidOptions: [{ labels: undefined }, { wordNgrams: 0 }, { buckets: 2 ** 25 }],
    }),
  },
  [trainers.kind]: {
    causal_lm: trainerConformance(causalLm, {
      options: { maxSteps: 20, batchSize: 8, learningRate: 0.02, sampleTokens: 4 },
      invalidOptions: [{ maxSteps: 0 }, { maxSteps: undefined }, { learningRate: -1 }],
    }),
    masked_lm: trainerConformance(maskedLm, {
      options: { maxSteps: 40, batchSize: 8, learningRate: 0.02 },
      invalidOptions: [{ mlmProbability: 0 }, { mlmProbability: 1 }],
    }),
    sequence_classification: trainerConformance(sequenceClassification, {
      options: { maxSteps: 20, batchSize: 8, learningRate: 0.05, sequenceLength: 12 },
      invalidOptions: [{ problemType: "regression" }, { classWeights: { early: 0 } }, { mistakes: -1 }],
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
