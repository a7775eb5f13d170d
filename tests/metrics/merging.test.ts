/** However a split is divided over processes and merged, every metric's value is the same to the last bit. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EvaluatedExample } from "../../src/metrics/index.ts";
import { streaming } from "./golden.ts";

const none = new Int32Array();
const word = fc.constantFrom("a", "the", "B,", "c.5", "é", "日本", "😀", "running", "\n");
const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "));
const texts = fc
  .record({ prediction: text, references: fc.array(text, { minLength: 1, maxLength: 3 }) })
  .map((given): EvaluatedExample => ({ labels: none, texts: given }));

const names = ["x", "y", "z"];
const probability = fc.nat(8).map((eighths) => eighths / 8);
const one = fc
  .record({ label: fc.nat(2), scores: fc.tuple(probability, probability, probability) })
  .map(({ label, scores }): EvaluatedExample => {
    const order = [0, 1, 2].sort((a, b) => scores[b]! - scores[a]! || a - b);
    return {
      labels: Int32Array.of(label),
      classes: names,
      probabilities: Float32Array.from(scores),
      predictedIds: Int32Array.of(order[0]!),
      topIds: Int32Array.from(order),
    };
  });
const bit = fc.nat(1);
const several = fc
  .record({ labels: fc.tuple(bit, bit, bit), scores: fc.tuple(probability, probability, probability) })
  .map(
    ({ labels, scores }): EvaluatedExample => ({
      labels: Int32Array.from(labels),
      classes: names,
      multiLabel: true,
      probabilities: Float32Array.from(scores),
      predictedIds: Int32Array.from(scores, (score) => (score > 0.5 ? 1 : 0)),
    }),
  );
const outcomes = fc
  .record({ task: fc.constantFrom("a", "b", "__proto__"), passed: fc.boolean() })
  .map((outcome): EvaluatedExample => ({ labels: none, outcome }));

const cases: readonly (readonly [string, object, fc.Arbitrary<EvaluatedExample>])[] = [
  ...["bleu", "chrf", "rouge", "ter", "wer", "cer", "dist_1", "dist_2"].map(
    (name) => [name, {}, texts] as const,
  ),
  ...["exact_match", "squad_f1", "edit_similarity"].map((name) => [name, {}, texts] as const),
  ["bleu", { smoothMethod: "add-k", effectiveOrder: true, tokenize: "intl" }, texts],
  ...[one, several].flatMap((examples) => [
    ...["accuracy", "confusion_matrix", "expected_calibration_error"].map(
      (name) => [name, {}, examples] as const,
    ),
    ...["precision", "recall", "f1", "roc_auc", "average_precision"].flatMap((name) =>
      ["macro", "weighted", "micro", "none"].map((average) => [name, { average }, examples] as const),
    ),
  ]),
  ["top_k_accuracy", { k: 2 }, one],
  ["mcc", {}, one],
  ["f1", { average: "binary", positive: "z" }, one],
  ["pass_at_k", { k: [1, 2, 3] }, outcomes],
];

describe.each(cases)("%s %j", (name, options, example) => {
  test("is the same however the split was divided and merged", async () => {
    const build = () => streaming(name, options);
    const [whole, total] = [await build(), await build()];
    const parts = await Promise.all([0, 1, 2].map(build));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(example, fc.nat(2)), { maxLength: 10 }),
        fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
        (all, order) => {
          for (const metric of [whole, total, ...parts]) metric.reset();
          for (const [one, part] of all) {
            whole.update(one);
            parts[part]!.update(one);
          }
          for (const at of order) total.merge(JSON.parse(JSON.stringify(parts[at]!.state())));
          expect(total.compute()).toEqual(whole.compute());
          expect(total.warnings?.()).toEqual(whole.warnings?.());
        },
      ),
      { numRuns: 50 },
    );
  });
});
