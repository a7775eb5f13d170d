import type { Task } from "../../models/index.ts";
import type { DataLook } from "./look.ts";

/** A value of a run file with what is to be said of it. */
export interface Line {
  readonly key: string;
  readonly value: unknown;
  readonly comment?: string;
}

/** One key at the top of a run file: a value, or the options of a component. */
export interface Section {
  readonly key: string;
  readonly comment: string;
  readonly value: unknown[] | number | readonly Line[];
}

/** What is trained, in the field's words. */
export const tasks: Readonly<Record<Task, string>> = {
  causal_lm: "goes on with a text (a GPT)",
  sequence_classification: "tells which class a text belongs to",
  masked_lm: "fills in hidden words (a BERT), to start other models from",
};

/** The task that data looks made for. */
export function likelyTask({ label }: DataLook): Task {
  return label === undefined ? "causal_lm" : "sequence_classification";
}

/** A run that fits the data: small enough for two cores, and as long as it pays. */
export function planRun(look: DataLook, task: Task, path: string): readonly Section[] {
  return [
    { key: "seed", comment: "Decides initial weights, the order of the data and dropout.", value: 1337 },
    {
      key: "tokenizer",
      comment: "What makes tokens of text. It learns its vocabulary from the data.",
      value: tokenizer(look, task),
    },
    {
      key: "data",
      comment: "What is trained on. A tenth is held out, and tells how good the model is.",
      value: data(look, task, path),
    },
    {
      key: "model",
      comment: "Wider and deeper is slower, and better where there is enough data.",
      value: model(task),
    },
    { key: "trainer", comment: "How it is trained, and how long.", value: trainer(look, task) },
    {
      key: "metrics",
      comment: "What is computed at each evaluation, besides the loss.",
      value: metrics(task),
    },
  ];
}

function tokenizer({ bytes }: DataLook, task: Task): readonly Line[] {
  const name = { key: "name", value: task === "masked_lm" ? "wordpiece" : "bpe" };
  const vocabSize = bytes < 200_000 ? 512 : bytes < 20_000_000 ? 2048 : 8192;
  return [name, { key: "vocabSize", value: vocabSize, comment: "tokens to learn" }];
}

function data({ loader, text, label, columns }: DataLook, task: Task, path: string): readonly Line[] {
  const chosen = {
    ...(text !== undefined && text !== "text" && { text }),
    ...(task === "sequence_classification" && label !== undefined && { label }),
  };
  return [
    { key: "name", value: loader },
    { key: "path", value: path, comment: "a file, a folder, a glob or a list of these" },
    ...(Object.keys(chosen).length > 0
      ? [{ key: "columns", value: chosen, comment: `there are ${columns?.join(", ")}` }]
      : []),
    { key: "validation", value: 0.1 },
  ];
}

const transformer = [
  { key: "numHiddenLayers", value: 4 },
  { key: "numAttentionHeads", value: 4, comment: "divides hiddenSize" },
  { key: "hiddenSize", value: 128 },
  { key: "maxPositionEmbeddings", value: 128, comment: "longest sequence, in tokens" },
] as const;

function model(task: Task): readonly Line[] {
  if (task === "causal_lm") return [{ key: "name", value: "gpt2" }, ...transformer];
  if (task === "masked_lm")
    return [{ key: "name", value: "bert" }, ...transformer, { key: "intermediateSize", value: 512 }];
  return [
    { key: "name", value: "embedding_bag", comment: "fast and hard to beat; bert learns more slowly" },
    { key: "hiddenSize", value: 32 },
    { key: "wordNgrams", value: 2, comment: "pairs of neighbouring tokens count, too" },
  ];
}

function trainer({ bytes }: DataLook, task: Task): readonly Line[] {
  const name = { key: "name", value: task };
  if (task === "sequence_classification")
    return [
      name,
      { key: "numTrainEpochs", value: bytes < 1_000_000 ? 20 : 5, comment: "passes over the training data" },
      { key: "batchSize", value: 16 },
      { key: "sequenceLength", value: 512, comment: "what is longer is cut" },
      { key: "learningRate", value: 0.03 },
      { key: "warmupRatio", value: 0.05, comment: "share of the updates in which the learning rate grows" },
    ];
  const maxSteps = stepsFor(bytes);
  return [
    name,
    { key: "maxSteps", value: maxSteps, comment: "updates; more of them, and a lower loss" },
    { key: "batchSize", value: 16, comment: "sequences of an update" },
    { key: "learningRate", value: 0.003 },
    {
      key: "warmupSteps",
      value: Math.round(maxSteps / 10),
      comment: "updates in which the learning rate grows",
    },
    { key: "minLrRate", value: 0.02, comment: "share of the learning rate at the end" },
  ];
}

/** About four passes over a text at three bytes a token, 2,048 tokens an update. */
function stepsFor(bytes: number): number {
  const steps = (4 * bytes) / 3 / 2048;
  return Math.min(2000, Math.max(100, Math.round(steps / 100) * 100));
}

function metrics(task: Task): string[] {
  if (task === "sequence_classification") return ["accuracy", "f1"];
  return task === "causal_lm"
    ? ["perplexity", "bits_per_byte", "token_accuracy"]
    : ["perplexity", "token_accuracy"];
}
