import * as fc from "fast-check";
import { expect, test } from "vitest";
import { closestNames, editDistance } from "../../src/packages/suggest.ts";

test("the closest names come first, and what is far off does not come", () => {
  const names = ["accuracy", "perplexity", "perplexity2"];
  expect(closestNames("perplexty", names)).toEqual(["perplexity", "perplexity2"]);
  expect(closestNames("bleu", names)).toEqual([]);
  expect(closestNames("", names)).toEqual([]);
});

test("case and separators are not what makes names different", () => {
  expect(closestNames("learning_rate", ["learningRate", "warmupSteps"])).toEqual(["learningRate"]);
});

test("a beginning of three characters is enough", () => {
  expect(closestNames("acc", ["accuracy", "loss"])).toEqual(["accuracy"]);
});

test("short words are close only when one edit apart", () => {
  expect(closestNames("bpe", ["gpt", "bep"])).toEqual(["bep"]);
});

test("a swap of neighbours is one edit", () => {
  expect(editDistance("bpe", "bep")).toBe(1);
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("", "abc")).toBe(3);
});

test("distance is zero exactly for equal words, and the same both ways", () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      return (distance === 0) === (a === b) && distance === editDistance(b, a);
    }),
  );
});
