/** What is undefined is NaN and says why; what does not fit is refused. */
import { describe, expect, test } from "vitest";
import { type EvaluatedExample, flatValue, metrics } from "../../src/metrics/index.ts";
import { scored, streaming, texts } from "./golden.ts";

const none = new Int32Array();

/** An example of a classifier of the classes ham, spam and eggs. */
function classified(label: number, predicted: number, probabilities = [0.5, 0.25, 0.25]): EvaluatedExample {
  return {
    labels: Int32Array.of(label),
    predictedIds: Int32Array.of(predicted),
    classes: ["ham", "spam", "eggs"],
    probabilities: Float32Array.from(probabilities),
    topIds: Int32Array.of(predicted),
  };
}

async function told(name: string, options: object, examples: readonly EvaluatedExample[]) {
  const metric = await streaming(name, options);
  for (const example of examples) metric.update(example);
  return { value: metric.compute(), warnings: metric.warnings?.() };
}

const added = Object.keys(metrics.builtins).filter(
  (name) => !["perplexity", "bits_per_byte", "token_accuracy"].includes(name),
);

describe.each(added)("%s", (name) => {
  test("is NaN or empty over nothing, and says that it saw nothing", async () => {
    const { value, warnings } = await told(name, {}, []);
    for (const [, number] of flatValue(name, value)) expect(number).toBeNaN();
    expect(warnings).toEqual([expect.stringMatching(/^it saw no /)]);
  });

  test("says when it was not given what it reads", async () => {
    const metric = await streaming(name);
    expect(() => metric.update({ labels: Int32Array.of(1) })).toThrow(
      new RegExp(`${name} reads \`${metric.reads[0]}\`.*none`),
    );
  });

  test("refuses a state that is not its own, and unknown options", async () => {
    const metric = await streaming(name);
    expect(() => metric.merge({ nonsense: 1 })).toThrow(`${name} cannot merge`);
    await expect(streaming(name, { window: 3 })).rejects.toThrow(/window/);
  });
});

describe("a class that is undefined", () => {
  const examples = [classified(0, 0), classified(0, 1), classified(1, 1)];

  test("is left out of the average and named", async () => {
    expect(await told("recall", {}, examples)).toEqual({
      value: 0.75,
      warnings: ["it is undefined and left out of the average for the class eggs: not in the labels"],
    });
    expect(await told("f1", { average: "binary", positive: "eggs" }, examples)).toEqual({
      value: Number.NaN,
      warnings: ["it is undefined for the class eggs: neither predicted nor in the labels"],
    });
  });

  test("scores what zeroDivision says", async () => {
    expect(await told("precision", { zeroDivision: 0 }, examples)).toEqual({ value: 0.5, warnings: [] });
  });

  test("has no ROC curve, and no precision at recall", async () => {
    const { value, warnings } = await told("roc_auc", { average: "none" }, examples);
    expect(value).toEqual({ ham: 0.5, spam: 0.5, eggs: Number.NaN });
    expect(warnings).toEqual(["it is undefined for the class eggs: all examples are of it, or none is"]);
    expect((await told("average_precision", {}, examples)).warnings).toEqual([
      "it is undefined and left out of the average for the class eggs: no example is of it",
    ]);
  });

  test("makes mcc NaN when all are of one, or what zeroDivision says", async () => {
    const { value, warnings } = await told("mcc", {}, [classified(0, 0), classified(0, 0)]);
    expect(value).toBeNaN();
    expect(warnings).toEqual(["it is undefined: all labels, or all predictions, are of one class"]);
    expect(await scored("mcc", { zeroDivision: 0 }, [classified(0, 0)])).toBe(0);
  });
});

describe("what does not fit", () => {
  test("a positive class that does not exist is refused with the classes that do", async () => {
    await expect(scored("f1", { average: "binary", positive: "egg" }, [classified(0, 0)])).rejects.toThrow(
      /"egg" is the positive one, but the classes are ham, spam, eggs/,
    );
  });

  test("examples of other classes are refused, merged ones too", async () => {
    const metric = await streaming("f1");
    metric.update(classified(0, 0));
    const other = { ...classified(0, 0), classes: ["a", "b", "c"] };
    expect(() => metric.update(other)).toThrow(/of the classes a, b, c after others of ham, spam, eggs/);
    const elsewhere = await streaming("f1");
    elsewhere.update(other);
    expect(() => metric.merge(elsewhere.state())).toThrow(/after others of/);
  });

  test.each(["mcc", "top_k_accuracy"])("%s refuses several labels at once", async (name) => {
    const metric = await streaming(name);
    const example = { ...classified(0, 0), labels: Int32Array.of(1, 0, 1), multiLabel: true };
    expect(() => metric.update(example)).toThrow(/exclude each other/);
  });

  test("a prediction without a reference is refused", async () => {
    await expect(scored("bleu", {}, [texts("a")])).rejects.toThrow(/was given no reference/);
  });
});

test("pass@k of more attempts than a task had is NaN, naming the task", async () => {
  const attempt = (task: string, passed: boolean) => ({ labels: none, outcome: { task, passed } });
  const { value, warnings } = await told("pass_at_k", { k: [1, 2] }, [
    attempt("add", true),
    attempt("add", false),
    attempt("sort", true),
  ]);
  expect(value).toEqual({ "pass@1": 0.75, "pass@2": Number.NaN });
  expect(warnings).toEqual(['pass@2 is undefined: the task "sort" was attempted 1 time']);
});

test("ids of tokens are classes without names", async () => {
  const example = { labels: Int32Array.of(7, 7, 9), predictedIds: Int32Array.of(7, 9, 9) };
  expect(await scored("f1", { average: "none" }, [example])).toEqual({ 7: 2 / 3, 9: 2 / 3 });
  expect(await scored("confusion_matrix", {}, [example])).toEqual({ 7: { 7: 1, 9: 1 }, 9: { 7: 0, 9: 1 } });
});

test("of several references the nearest counts, for words and characters", async () => {
  expect(await scored("wer", {}, [texts("a b c", "x y z", "a b c d", "q")])).toBe(0.25);
  expect(await scored("cer", {}, [texts("abc", "x", "abd")])).toBe(1 / 3);
});
