/** `sequence_classification` and what all trainers share: best checkpoint, early stopping, frozen and slower parameters. */
import { describe, expect, test } from "vitest";
import type { DataLoader, Example } from "../../src/data-loaders/index.ts";
import type { StreamingMetric } from "../../src/metrics/index.ts";
import { adamW } from "../../src/optim/index.ts";
import { classificationObjective } from "../../src/trainers/classification-objective.ts";
import type { Checkpoint, TrainingEvent } from "../../src/trainers/index.ts";
import { maskedLm } from "../../src/trainers/masked-lm.ts";
import { sequenceClassification } from "../../src/trainers/sequence-classification.ts";
import { TrainingStep } from "../../src/trainers/training-step.ts";
import { allocateWeights, initialize } from "../../src/trainers/weights.ts";
import { BagModel, encoderTokenizer, memoryLoader, randomExamples } from "./fixtures.ts";

/** Texts of low ids are "low", of high ones "high", of both "mixed"; easy to tell apart. */
function texts(count: number, seed = 1): (Example & { readonly label: string })[] {
  return randomExamples(count, (random) => 3 + random.integer(4), seed).map(({ inputIds }, at) => {
    const label = ["low", "high", "mixed"][at % 3] as string;
    const ids = inputIds.map((id, place) =>
      label === "low" || (label === "mixed" && place % 2 === 0) ? 4 + (id % 8) : 12 + (id % 8),
    );
    return { text: ids.join(" "), label };
  });
}

const labels = ["high", "low", "mixed"];

async function train(
  options: Record<string, unknown> = {},
  {
    model = new BagModel(labels),
    data = memoryLoader(texts(60), texts(30, 2)) as DataLoader,
    metrics = [] as { name: string; metric: StreamingMetric }[],
    make = sequenceClassification as typeof sequenceClassification | typeof maskedLm,
  } = {},
) {
  const given = {
    maxSteps: 60,
    batchSize: 8,
    sequenceLength: 10,
    learningRate: 0.05,
    evalSteps: 10,
    ...options,
  };
  const parsed = await make.options?.["~standard"].validate(given);
  if (!parsed || parsed.issues) throw new Error(JSON.stringify(parsed?.issues));
  const trainer = await make.create(parsed.value as never, { directory: "." });
  const saved: Checkpoint[] = [];
  const events: TrainingEvent[] = [];
  const context = {
    model,
    data,
    tokenizer: encoderTokenizer,
    metrics,
    seed: 1,
    signal: new AbortController().signal,
    saveCheckpoint: async (checkpoint: Checkpoint) => {
      const copy = (tensors: Checkpoint["parameters"]) =>
        new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]));
      saved.push({ ...checkpoint, parameters: copy(checkpoint.parameters) });
      return `step-${checkpoint.step}`;
    },
  };
  for await (const event of trainer.train(context)) events.push(event);
  const evaluations = events.filter((event) => event.type === "evaluation");
  return { events, saved, evaluations, end: events.at(-1) };
}

/** Counts what a classifier's evaluation gives. */
function watcher(seen: unknown[]): StreamingMetric {
  let right = 0;
  let all = 0;
  return {
    reads: ["predictedIds", "probabilities", "topIds"],
    topK: 2,
    update: (example) => {
      seen.push(structuredClone(example));
      all++;
      if (example.labels.every((label, at) => label === example.predictedIds?.[at])) right++;
    },
    compute: () => right / all,
    reset: () => {
      right = all = 0;
    },
    state: () => ({ right, all }),
    merge: () => {},
  };
}

describe("a classifier", () => {
  test("learns classes, and tells metrics probabilities that add up", async () => {
    const seen: {
      probabilities: Float32Array;
      topIds: Int32Array;
      predictedIds: Int32Array;
      classes: string[];
    }[] = [];
    const { evaluations } = await train({}, { metrics: [{ name: "right", metric: watcher(seen) }] });
    const [first, last] = [evaluations[0], evaluations.at(-1)];
    expect(last?.metrics.right).toBeGreaterThan(0.9);
    expect(last?.loss).toBeLessThan((first?.loss ?? 0) / 2);
    expect(last?.tokens).toBe(30);
    for (const { probabilities, topIds, predictedIds, classes } of seen) {
      expect(probabilities.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 5);
      expect(topIds).toHaveLength(2);
      expect(topIds[0]).toBe(predictedIds[0]);
      expect(probabilities[topIds[0] ?? 0]).toBe(Math.max(...probabilities));
      expect(classes).toEqual(labels);
    }
  });

  test("shows its hardest mistakes with their texts, largest loss first, at the end", async () => {
    const wrong = { text: "5 6 7", label: "high" };
    const { events } = await train({}, { data: memoryLoader(texts(60), [...texts(9, 2), wrong]) });
    const told = events.filter((event) => event.type === "mistakes");
    expect(told).toHaveLength(1);
    const [first] = told[0]?.mistakes ?? [];
    expect(first).toMatchObject({ text: "5 6 7", expected: ["high"], predicted: ["low"] });
    expect(first?.probability).toBeCloseTo(Math.exp(-(first?.loss ?? 0)), 6);
  });

  test("learns classes that do not exclude each other", async () => {
    const both = texts(90).map((example) => ({
      ...example,
      label: example.label === "mixed" ? ["low", "high"] : [example.label],
    }));
    const seen: unknown[] = [];
    const { evaluations } = await train(
      { problemType: "multi_label_classification" },
      {
        model: new BagModel(["high", "low"]),
        data: memoryLoader(both.slice(0, 60), both.slice(60)),
        metrics: [{ name: "right", metric: watcher(seen) }],
      },
    );
    expect(evaluations.at(-1)?.metrics.right).toBeGreaterThan(0.9);
    expect(seen[0]).toMatchObject({ multiLabel: true, labels: expect.anything() });
    expect((seen[0] as { labels: Int32Array }).labels).toHaveLength(2);
  });

  test("a class of weight 2 counts as if its examples came twice", async () => {
    const examples = texts(6);
    const batchOf = async (rows: readonly Example[], classWeights: Record<string, number>) => {
      const objective = classificationObjective({ labels, multiLabel: false, classWeights });
      const step = new TrainingStep({
        model: new BagModel(labels),
        optimizer: adamW(),
        batchSize: rows.length,
        sequenceLength: 10,
        seed: 1,
        objective,
        like: await firstBatch(rows, objective),
      });
      return step.run([await firstBatch(rows, objective)], 1e-2);
    };
    const twice = [...examples, ...examples.filter(({ label }) => label === "low")];
    const [weighted, repeated] = [await batchOf(examples, { low: 2 }), await batchOf(twice, {})];
    expect(weighted.loss).toBeCloseTo(repeated.loss, 5);
    expect(weighted.gradientNorm).toBeCloseTo(repeated.gradientNorm, 5);
    const plain = await batchOf(examples, {});
    expect(Math.abs(plain.gradientNorm - weighted.gradientNorm)).toBeGreaterThan(1e-4);
  });

  test("classWeights of a class that there is not are refused", async () => {
    await expect(train({ classWeights: { spam: 2 } })).rejects.toThrow(
      /"spam", which is none of the classes/,
    );
  });

  test("a metric that reads token texts is refused before training", async () => {
    const metric = { ...watcher([]), reads: ["texts"] as const };
    await expect(train({}, { metrics: [{ name: "bleu", metric }] })).rejects.toThrow(
      /"bleu" reads `texts`, which an evaluation of a model for sequence_classification does not give; it gives tokenLosses, predictedIds, topIds, probabilities\. .*`codex-ml metrics`/,
    );
  });
});

async function firstBatch(rows: readonly Example[], objective: ReturnType<typeof classificationObjective>) {
  const { evaluationBatches } = await import("../../src/trainers/batching.ts");
  const options = {
    data: memoryLoader(rows, rows),
    tokenizer: encoderTokenizer,
    vocabSize: 20,
    batchSize: rows.length,
    sequenceLength: 10,
    seed: 1,
    objective,
  };
  for await (const batch of evaluationBatches("validation", options)) return batch;
  throw new Error("no batch");
}

describe("the best model", () => {
  test("is the one whose value was best; the end is saved too", async () => {
    const { saved, evaluations } = await train({
      metricForBestModel: "loss",
      learningRate: 0.3,
      maxSteps: 100,
    });
    const losses = evaluations.map(({ loss, step }) => ({ loss, step }));
    const best = losses.reduce((least, one) => (one.loss < least.loss ? one : least));
    const marked = saved.filter(({ state }) => state.best !== undefined);
    expect(marked.at(-1)?.step).toBe(best.step);
    expect(marked.at(-1)?.state.best).toEqual({ metric: "loss", value: best.loss });
    expect(saved.at(-1)?.step).toBe(100);
  });

  test("ends the run when none was better for a while", async () => {
    const noisy = texts(30, 2).map((example, at) => ({ ...example, label: labels[at % 2] as string }));
    const { end, evaluations, saved } = await train(
      { metricForBestModel: "loss", earlyStoppingPatience: 2, maxSteps: 400 },
      { data: memoryLoader(texts(60), noisy) },
    );
    expect(end).toMatchObject({ type: "end", reason: "earlyStopping" });
    const losses = evaluations.map(({ loss }) => loss);
    const best = losses.indexOf(Math.min(...losses));
    expect(losses.length - 1 - best).toBe(2);
    expect(saved.at(-1)?.step).toBe(evaluations.at(-1)?.step);
  });

  test("a metric that there is not is an error that names those there are", async () => {
    await expect(train({ metricForBestModel: "f1.macro" })).rejects.toThrow(/"f1\.macro".*gives loss/);
  });

  test("without a validation split it is refused before the first step", async () => {
    await expect(train({ metricForBestModel: "loss" }, { data: memoryLoader(texts(9)) })).rejects.toThrow(
      /needs a validation split/,
    );
  });

  test("early stopping needs to know what is better", async () => {
    await expect(train({ earlyStoppingPatience: 2 })).rejects.toThrow(/needs metricForBestModel/);
  });
});

describe("parameters", () => {
  const first = () => {
    const model = new BagModel(labels);
    const weights = allocateWeights(model);
    initialize(model, weights, 1);
    return weights;
  };
  const valuesOf = ({ saved }: Awaited<ReturnType<typeof train>>, name: string) => [
    ...(saved.at(-1)?.parameters.get(name)?.data ?? []),
  ];

  test("that are frozen keep every bit, and the others learn", async () => {
    const run = await train({ freeze: ["embedding.*"], maxSteps: 5 });
    expect(valuesOf(run, "embedding.weight")).toEqual([...(first()["embedding.weight"]?.data ?? [])]);
    expect(valuesOf(run, "head.weight")).not.toEqual([...(first()["head.weight"]?.data ?? [])]);
    expect(run.saved.at(-1)?.optimizer.has("momentum/embedding.weight")).toBe(false);
  });

  test("with a share of the learning rate move by that share in the first step", async () => {
    const options = { maxSteps: 1, weightDecay: 0.3, maxGradNorm: 0 };
    const [whole, half] = [
      await train(options),
      await train({ ...options, learningRates: { "*": 1, "head.*": 0.5 } }),
    ];
    const start = first();
    for (const [name, share] of [
      ["head.weight", 0.5],
      ["embedding.weight", 1],
    ] as const)
      for (const [at, value] of valuesOf(whole, name).entries()) {
        const from = start[name]?.data[at] ?? 0;
        expect((valuesOf(half, name)[at] as number) - from).toBeCloseTo(
          share * ((value as number) - from),
          6,
        );
      }
  });

  test("decay by weightDecays where a pattern fits; the last that fits holds", async () => {
    const options = { maxSteps: 1, maxGradNorm: 0, learningRate: 0.05, lrSchedulerType: "constant" };
    const weightDecays = { "*": 0.5, "head.*": 2, "layers.*": 0 };
    const [none, decayed] = [
      await train({ ...options, weightDecay: 0 }),
      await train({ ...options, weightDecay: 7, weightDecays }),
    ];
    const start = first();
    for (const [name, decay] of [
      ["head.weight", 2],
      ["embedding.weight", 0.5],
      ["layers.0.weight", 0],
    ] as const)
      for (const [at, value] of valuesOf(none, name).entries()) {
        const from = start[name]?.data[at] ?? Number.NaN;
        expect((valuesOf(decayed, name)[at] as number) - (value as number), name).toBeCloseTo(
          -0.05 * decay * from,
          6,
        );
      }
    await expect(train({ weightDecays: { "bert.*": 0 } })).rejects.toThrow(
      /weightDecays: no parameter .* "bert\.\*"/,
    );
  });

  test("of lower layers learn more slowly under layerwiseLearningRateDecay", async () => {
    const options = { maxSteps: 1, maxGradNorm: 0 };
    const [whole, decayed] = [
      await train(options),
      await train({ ...options, layerwiseLearningRateDecay: 0.5 }),
    ];
    const start = first();
    for (const [name, share] of [
      ["head.bias", 1],
      ["layers.0.weight", 0.5],
      ["embedding.weight", 0.25],
    ] as const) {
      const at = valuesOf(whole, name).findIndex((value, place) => value !== start[name]?.data[place]);
      const change = (run: typeof whole) =>
        (valuesOf(run, name)[at] as number) - (start[name]?.data[at] ?? 0);
      expect(change(decayed) / change(whole)).toBeCloseTo(share, 3);
    }
  });

  test("a pattern that fits none, and freezing all, are errors", async () => {
    await expect(train({ freeze: ["bert.*"] })).rejects.toThrow(
      /no parameter of the model fits "bert\.\*".*embedding\.weight/,
    );
    await expect(train({ freeze: ["*"] })).rejects.toThrow(/Every parameter of the model is frozen/);
  });
});

test("a masked language model learns what stands behind the mask", async () => {
  const sequence = Array.from({ length: 40 }, (_, at) => ({
    text: Array.from({ length: 8 }, () => 5 + (at % 4)).join(" "),
  }));
  const { evaluations } = await train(
    { maxSteps: 80 },
    { make: maskedLm, model: new BagModel(), data: memoryLoader(sequence.slice(0, 30), sequence.slice(30)) },
  );
  expect(evaluations.at(-1)?.loss).toBeLessThan(0.5 * (evaluations[0]?.loss ?? 0) + 0.2);
});
